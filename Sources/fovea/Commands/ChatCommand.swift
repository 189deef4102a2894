import ArgumentParser
import Checkpoint
import Foundation
import Generation
import Media
import Playground
import PlaygroundCore
import Terminal
import Speech

/// Drawing of pictures on the screen.
enum PictureDrawing: String, ExpressibleByArgument, CaseIterable {
    case auto, cells, sixel, kitty

    var choice: GraphicsChoice {
        switch self {
        case .auto: .ask
        case .cells: .cells
        case .sixel: .always(.sixel)
        case .kitty: .always(.kitty)
        }
    }
}

/// `fovea` and `fovea chat`: the playground.
struct ChatCommand: AsyncParsableCommand, OwnsTerminal {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Open the playground in this terminal (what `fovea` alone does).")

    @Argument(
        help: ArgumentHelp(
            "A model, a first recording or picture, or both.",
            discussion:
                "A model is a name of `fovea models`, a folder, or a file of weights; the default is the first installed one.",
            valueName: "model-or-recording"))
    var items: [String] = []

    @Option(name: .long, help: LanguageCode.help)
    var language: LanguageCode?

    @Option(name: .long, help: "Write the words as spoken (transcribe) or in English (translate).")
    var task = SpeechTask.transcribe

    @Flag(name: .long, help: "Draw with ASCII characters and eight colors.")
    var ascii = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Draw pictures in pixels if the terminal reports that it can (auto), never (cells), or always (sixel, kitty).",
            valueName: "how"))
    var pictures = PictureDrawing.auto

    @OptionGroup var weights: WeightOptions
    @OptionGroup var device: DeviceOptions

    func validate() throws {
        if items.count > 2 { throw ValidationError("Unexpected argument '\(items[2])': a model and a file at most") }
    }

    @MainActor func run() async throws { try await run(recorder: nil) }

    /// - Parameter recorder: the writer of the session file.
    @MainActor func run(recorder: SessionRecorder?) async throws {
        try Self.requireTerminal()
        let (model, file) = try sorted()
        let picture = file.flatMap { PictureFile.isNamed($0) ? $0 : nil }
        let audio = picture == nil ? file : nil
        // Errors in them are reported before the screen is opened.
        if let model { _ = try ModelArgument.location(of: model) }
        if let audio { _ = try AudioFile.info(path: audio) }
        if let picture { _ = try ImageFile.info(path: picture) }
        let engine = try Engine(
            deviceSelector: device.selector, pipelineCacheFolder: Folders.writableCache(), sessions: .standard)
        var options = PlaygroundOptions(model: model, audio: audio, language: language?.code, task: task, ascii: ascii)
        options.picture = picture
        options.recorder = recorder
        options.graphics = pictures.choice
        let status = try await PlaygroundApp.run(
            backend: EngineBackend(
                engine: engine, loadOptions: weights.load, locate: { try KnownConfigurations.location(of: $0) }),
            options: options)
        throw ProgramExit(code: status.code)
    }

    /// A terminal that can be drawn on, found out before a device is opened for nothing.
    static func requireTerminal() throws(ProgramError) {
        for (descriptor, name) in [(STDIN_FILENO, "standard input"), (STDOUT_FILENO, "standard output")]
        where isatty(descriptor) == 0 {
            throw .noTerminal(stream: name)
        }
        let term = Folders.environment["TERM"] ?? ""
        if term.isEmpty || term == "dumb" { throw .dumbTerminal(name: term) }
    }

    /// Tells the model from the recording: a single item that is a file but no file of weights is a recording.
    private func sorted() throws -> (model: String?, audio: String?) {
        let expanded = items.map { ($0 as NSString).expandingTildeInPath }
        if items.count == 2 { return (items[0], expanded[1]) }
        guard let item = items.first, let path = expanded.first else { return (nil, nil) }
        var isFolder: ObjCBool = false
        let isFile = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        let weights = ["safetensors", "gguf", "bin", "json"]
        let looksLikeWeights = weights.contains((path as NSString).pathExtension.lowercased())
        return isFile && !looksLikeWeights ? (nil, path) : (item, nil)
    }
}
