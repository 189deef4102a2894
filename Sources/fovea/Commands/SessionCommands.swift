import ArgumentParser
import Checkpoint
import Compute
import Foundation
import Generation
import Playground

/// `fovea record`: the playground, written down.
struct RecordCommand: AsyncParsableCommand, OwnsTerminal {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Open the playground and record the session, for `fovea replay`.",
        discussion: """
            Keys, answers and the attention with them are written, and pictures as small as the screen shows them; no sound and \
            no other conversations.
            """)

    @Argument(help: ArgumentHelp("The file to write; an existing one is replaced.", valueName: "file"))
    var file: String

    @OptionGroup var chat: ChatCommand

    @MainActor func run() async throws {
        try ChatCommand.requireTerminal()
        try await chat.run(recorder: SessionRecorder(path: (file as NSString).expandingTildeInPath))
    }
}

/// `fovea replay`: a session once more, without a model or a device.
struct ReplayCommand: AsyncParsableCommand, OwnsTerminal {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Play back a session that `fovea record` wrote. Keys work as usual; nothing is computed.")

    @Argument(help: ArgumentHelp("The session file.", valueName: "file"))
    var file: String

    @Option(name: .long, help: ArgumentHelp("Speed relative to the recording.", valueName: "factor"))
    var speed = 1.0

    @Flag(name: .long, help: "Draw with ASCII characters and eight colors.")
    var ascii = false

    func validate() throws {
        guard speed.isFinite, speed >= 0.01, speed <= 1000 else { throw ValidationError("--speed: 0.01 to 1000") }
    }

    @MainActor func run() async throws {
        try ChatCommand.requireTerminal()
        var options = PlaygroundOptions(ascii: ascii, dataFolder: nil)
        options.replay = try RecordedSession(path: (file as NSString).expandingTildeInPath)
        options.replaySpeed = speed
        throw ProgramExit(code: try await PlaygroundApp.run(backend: SilentBackend(), options: options).code)
    }
}
