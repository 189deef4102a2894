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

extension ThemeName: ExpressibleByArgument {}

/// `fovea` and `fovea chat`: the playground.
struct ChatCommand: AsyncParsableCommand, OwnsTerminal {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Open the playground in this terminal (what `fovea` alone does).")

    @OptionGroup var input: InputArguments

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Text to send at once; for speech models, text before the recording.", valueName: "text"))
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("The system message of the conversation.", valueName: "text"))
    var system: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Maximum number of tokens of an answer (for speech: in each window of 30 s).", valueName: "n")
    )
    var maxTokens: Int?

    @Flag(name: .long, help: "Draw with ASCII characters and eight colors.")
    var ascii = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Draw pictures in pixels if the terminal reports that it can (auto), never (cells), or always (sixel, kitty).",
            valueName: "how"))
    var pictures = PictureDrawing.auto

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Colors of the screen: by the terminal's background (auto), or one theme.", valueName: "theme"))
    var theme = ThemeName.auto

    @OptionGroup var weights: WeightOptions
    @OptionGroup var text: TextGenerationOptions
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var device: DeviceOptions

    func validate() throws {
        if let maxTokens, maxTokens < 1 { throw ValidationError("--max-tokens: at least 1") }
    }

    @MainActor func run() async throws { try await run(recorder: nil) }

    /// - Parameter recorder: the writer of the session file.
    @MainActor func run(recorder: SessionRecorder?) async throws {
        try Self.requireTerminal()
        let input = try input.sorted()
        let (model, audio) = (input.model, input.recording)
        // Errors in them are reported before the screen is opened.
        if let model { _ = try ModelArgument.location(of: model) }
        if let path = input.projector {
            guard model != nil else {
                throw ProgramError.option(name: "--mmproj", problem: "it belongs to a model: name that too")
            }
            _ = try Checkpoint.open(path)
        }
        if let audio { _ = try AudioFile.info(path: audio) }
        for picture in input.pictures { _ = try ImageFile.info(path: picture) }
        let engine = try Engine(
            deviceSelector: device.selector, pipelineCacheFolder: Folders.writableCache(), sessions: .standard)
        var options = PlaygroundOptions(model: model, audio: audio, ascii: ascii)
        options.pictures = input.pictures
        options.system = system ?? ""
        options.recorder = recorder
        options.graphics = self.pictures.choice
        options.theme = theme
        options.text = text.text(speech, maximumTokens: maxTokens)
        options.speech = speech.transcription()
        options.speech.maximumTokensPerWindow = maxTokens
        if audio == nil { options.prompt = prompt } else { options.speech.initialPrompt = prompt }
        let projectors = model.flatMap { model in input.projector.map { [model: $0] } } ?? [:]
        let status = try await PlaygroundApp.run(
            backend: EngineBackend(
                engine: engine, loadOptions: weights.load, locate: { try KnownConfigurations.location(of: $0) },
                projectors: projectors),
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
}
