import ArgumentParser
import Foundation
import Generation
import Media
import ModelStore
import Speech
import Support

/// `fovea run`: one streamed answer of a model of any kind.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "One answer of a model on standard output, as it comes.",
        discussion: """
            With --json every event is one line of JSON: input_prepared, encoded, token, discarded, context_shortened, segment, \
            finished. Without it only final text is written: tokens that a speech model takes back never appear. Thoughts before \
            an answer (<think> … </think>) go to standard error.
            """)

    @OptionGroup var input: InputArguments

    @Option(
        name: .long,
        help: ArgumentHelp("Text for the model; for speech models, text before the recording.", valueName: "text"))
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("The system message of a conversation.", valueName: "text"))
    var system: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Maximum number of tokens to generate (for speech: in each window of 30 s).", valueName: "n")
    )
    var maxTokens: Int?

    @OptionGroup var weights: WeightOptions
    @OptionGroup var text: TextGenerationOptions
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        _ = try Self.model(of: input.sorted())
        if let maxTokens, maxTokens < 1 { throw ValidationError("--max-tokens: at least 1") }
    }

    private static func model(of input: InputArguments.Sorted) throws -> String {
        guard let model = input.model else { throw ValidationError("Missing expected argument '<model>'") }
        return model
    }

    func run() async throws {
        let input = try input.sorted()
        let location = try ModelArgument.location(of: Self.model(of: input))
        let declared = try SessionRegistry.standard.declare(
            path: location.path, projector: input.projector ?? location.projector, options: weights.load)
        try weights.check(declared.model)
        let request = try request(declared, input)
        let (session, finish) = try ModelSetup.load(declared, on: device)
        defer { finish() }
        let json = output.json
        var written = false
        try session.answer(request, isCancelled: { Task.isCancelled }) { event in
            if case .inputPrepared(.picture(let picture)) = event, picture.isFamiliar == false {
                Console.warn(
                    "\(Sanitizer.stream.line(picture.name)) is not a picture of the kind that this model was trained on: "
                        + "its answer means little. Models that read photographs: "
                        + HubEntry.all.filter { $0.readsPhotographs && $0.configuration != nil }.map(\.name)
                        .joined(separator: ", "))
            }
            if json { return try JSONOutput.printLine(EventReport(event)) }
            switch event {
            case .segment(let segment):
                try Console.write(
                    Sanitizer.stream.text(segment.index == 0 ? String(segment.text.trimmingPrefix(" ")) : segment.text))
                written = true
            case .token(let token) where !declared.abilities.inputs.contains(.sound):
                if let thought = token.thought { Console.sayRaw(Sanitizer.stream.text(thought)) }
                if token.text.isEmpty { break }
                try Console.write(Sanitizer.stream.text(token.text))
                written = true
            case .contextShortened(let count):
                Console.warn(
                    "the conversation is longer than the model's context: its oldest \(count) messages are left out")
            default: break
            }
        }
        if !json, written { try Console.writeLine() }
    }

    /// The request, after options that do not apply to the model are refused.
    private func request(_ declared: DeclaredModel, _ input: InputArguments.Sorted) throws -> GenerationRequest {
        let abilities = declared.abilities
        let takes = abilities.takes
        func refuse(_ option: String, _ problem: String) -> ProgramError {
            .option(name: option, problem: "\(problem); \(takes)")
        }
        if input.recording != nil, !abilities.inputs.contains(.sound) {
            throw refuse("--audio", "this model takes no sound")
        }
        if !input.pictures.isEmpty, !abilities.inputs.contains(.picture) {
            throw refuse("--image", "this model takes no pictures")
        }
        try refuseIdle(declared)
        var request = GenerationRequest()
        request.speech = speech.transcription()
        request.text = text.text(speech, maximumTokens: maxTokens)
        if abilities.inputs.contains(.sound) {
            guard let audio = input.recording else { throw refuse("--audio", "a speech model needs a recording") }
            request.sound = .recording(try SpeechSetup.recording(audio))
            request.speech.initialPrompt = prompt
            request.speech.maximumTokensPerWindow = maxTokens
            return request
        }
        if prompt != nil, !abilities.inputs.contains(.text) { throw refuse("--prompt", "this model takes no text") }
        if input.pictures.isEmpty, prompt == nil {
            let needs = abilities.inputs.contains(.picture) ? "--image" : "--prompt"
            throw refuse(needs, "the request is empty")
        }
        for path in input.pictures { _ = try ImageFile.info(path: path) }
        if let system { request.messages.append(ChatMessage(.system, system)) }
        request.messages.append(
            ChatMessage(.user, prompt ?? "", pictures: input.pictures))
        return request
    }

    /// Refuses options without an effect on this model.
    private func refuseIdle(_ declared: DeclaredModel) throws {
        let family = declared.abilities.family
        if declared.abilities.inputs.contains(.sound) {
            if let option = text.textOnly.first {
                throw ProgramError.option(name: option, problem: "it has no effect on a speech model like \(family)")
            }
        } else if let option = speech.speechOnly.first {
            throw ProgramError.option(name: option, problem: "it applies to speech models, which \(family) is not")
        }
        try text.translation.check(declared.abilities.languages, family: family)
        if declared.model.capabilities.needsSource {
            for (option, isGiven) in [("--chat-format", text.chatFormat != nil), ("--system", system != nil)]
            where isGiven {
                throw ProgramError.option(name: option, problem: "\(family) holds no conversations")
            }
        } else if system != nil, text.raw || (!declared.abilities.holdsConversations && text.chatFormat == nil) {
            throw ProgramError.option(
                name: "--system",
                problem: text.raw
                    ? "with --raw there is no conversation"
                    : "\(family) has no chat format; name one with --chat-format")
        }
    }
}

extension ModelAbilities {
    /// Options for the inputs that the model takes, for messages.
    var takes: String {
        let options: [(Input, String)] = [
            (.sound, "--audio FILE"), (.picture, "--image FILE"), (.text, "--prompt TEXT"),
        ]
        let taken = options.filter { inputs.contains($0.0) }.map(\.1)
        return "\(family) takes " + taken.joined(separator: " and ")
    }
}
