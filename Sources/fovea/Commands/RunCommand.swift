import ArgumentParser
import Foundation
import Generation
import Media
import Speech
import Support

/// `fovea run`: one answer of a model of any kind, streamed.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "One answer of a model on standard output, as it comes.",
        discussion: """
            With --json every event is one line of JSON: input_prepared, encoded, token, discarded, context_shortened, segment, \
            finished. Without it only text that stands is written: a token that the model takes back never appears.
            """)

    @OptionGroup var model: ModelArgument

    @Option(
        name: .long,
        help: ArgumentHelp("A picture for a model that sees; may be given several times.", valueName: "file"))
    var image: [String] = []

    @Option(name: .long, help: ArgumentHelp("A recording for a model that listens.", valueName: "file"))
    var audio: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Text for the model; a speech model takes it for what was said before.", valueName: "text"))
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("The system message of a conversation.", valueName: "text"))
    var system: String?

    @Option(
        name: .long,
        help: ArgumentHelp("The most tokens to write (for speech: in each window of 30 s).", valueName: "n"))
    var maxTokens: Int?

    @OptionGroup var projector: ProjectorOption
    @OptionGroup var weights: WeightOptions
    @OptionGroup var text: TextGenerationOptions
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let maxTokens, maxTokens < 1 { throw ValidationError("--max-tokens: at least 1") }
    }

    func run() async throws {
        let path = try model.path()
        let declared = try SessionRegistry.standard.declare(
            path: path, projector: projector.path, options: weights.load)
        let request = try request(declared.abilities)
        let (session, finish) = try ModelSetup.load(declared, on: device)
        defer { finish() }
        let json = output.json
        var written = false
        try session.answer(request, isCancelled: { Task.isCancelled }) { event in
            if json { return try JSONOutput.printLine(EventReport(event)) }
            switch event {
            case .segment(let segment):
                try Console.write(
                    Sanitizer.stream.text(segment.index == 0 ? String(segment.text.trimmingPrefix(" ")) : segment.text))
                written = true
            case .token(let token) where !declared.abilities.inputs.contains(.sound):
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

    /// What is asked, once it is clear that the model takes it.
    private func request(_ abilities: ModelAbilities) throws -> GenerationRequest {
        let takes = abilities.takes
        func refuse(_ option: String, _ problem: String) -> ProgramError {
            .option(name: option, problem: "\(problem); \(takes)")
        }
        if audio != nil, !abilities.inputs.contains(.sound) { throw refuse("--audio", "this model does not listen") }
        if !image.isEmpty, !abilities.inputs.contains(.picture) {
            throw refuse("--image", "this model sees no pictures")
        }
        if system != nil, !abilities.inputs.contains(.text) {
            throw refuse("--system", "this model holds no conversations")
        }
        var request = GenerationRequest()
        request.speech = speech.transcription()
        request.text = text.text(speech, maximumTokens: maxTokens)
        if abilities.inputs.contains(.sound) {
            guard let audio else { throw refuse("--audio", "a speech model needs a recording") }
            request.sound = try SpeechSetup.recording(audio)
            request.speech.initialPrompt = prompt
            request.speech.maximumTokensPerWindow = maxTokens
            return request
        }
        if prompt != nil, !abilities.inputs.contains(.text) { throw refuse("--prompt", "this model reads no text") }
        if image.isEmpty, prompt == nil {
            let needs = abilities.inputs.contains(.picture) ? "--image" : "--prompt"
            throw refuse(needs, "there is nothing to answer")
        }
        for path in image { _ = try ImageFile.info(path: (path as NSString).expandingTildeInPath) }
        if let system { request.messages.append(ChatMessage(.system, system)) }
        request.messages.append(
            ChatMessage(.user, prompt ?? "", pictures: image.map { ($0 as NSString).expandingTildeInPath }))
        return request
    }
}

extension ModelAbilities {
    /// What the model takes, for messages.
    var takes: String {
        let options: [(Input, String)] = [
            (.sound, "--audio FILE"), (.picture, "--image FILE"), (.text, "--prompt TEXT"),
        ]
        let taken = options.filter { inputs.contains($0.0) }.map(\.1)
        return "\(family) takes " + taken.joined(separator: " and ")
    }
}

/// An event of generation as a line of JSON. The spectrogram and captured attention are left out: `fovea trace` writes
/// them to a file.
struct EventReport: Encodable {
    struct Alternative: Encodable {
        let id: Int
        let piece: String
        let logProbability: Float
    }

    private let event: GenerationEvent

    init(_ event: GenerationEvent) { self.event = event }

    private enum Key: String, CodingKey {
        case event, window, start, duration, mels, frames, language, languageProbability, seconds, index, id, text,
            piece, special
        case timestamp, logProbability, alternatives, keeping, reason, segment, tokens, encodeSeconds, prefillSeconds,
            decodeSeconds
        case tokensPerSecond, droppedMessages, promptTokens, prefilledTokens, picture, name, width, height, attention,
            keys, source
    }

    /// A source token of an encoder-decoder.
    private struct SourceToken: Encodable {
        let id: Int
        let text: String
        let special: Bool
    }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Key.self)
        switch event {
        case .inputPrepared(.audio(let window)):
            try fields.encode("input_prepared", forKey: .event)
            try fields.encode(window.index, forKey: .window)
            try fields.encode(window.start, forKey: .start)
            try fields.encode(window.duration, forKey: .duration)
            try fields.encode(window.mels, forKey: .mels)
            try fields.encode(window.frames, forKey: .frames)
            try fields.encodeIfPresent(window.language, forKey: .language)
            try fields.encodeIfPresent(window.languageProbability, forKey: .languageProbability)
        case .inputPrepared(.picture(let picture)):
            try fields.encode("input_prepared", forKey: .event)
            try fields.encode(picture.index, forKey: .picture)
            try fields.encode(picture.name, forKey: .name)
            try fields.encode(picture.width, forKey: .width)
            try fields.encode(picture.height, forKey: .height)
            try fields.encode(picture.kind.rawValue, forKey: .attention)
            try fields.encode(picture.keys.count, forKey: .keys)
        case .inputPrepared(.source(let source)):
            try fields.encode("input_prepared", forKey: .event)
            try fields.encode(
                source.tokens.map { SourceToken(id: $0.id, text: $0.text, special: $0.isSpecial) }, forKey: .source)
        case .encoded(let seconds):
            try fields.encode("encoded", forKey: .event)
            try fields.encode(seconds, forKey: .seconds)
        case .token(let token):
            try fields.encode("token", forKey: .event)
            try fields.encode(token.index, forKey: .index)
            try fields.encode(token.window, forKey: .window)
            try fields.encode(token.id, forKey: .id)
            try fields.encode(token.text, forKey: .text)
            try fields.encode(token.piece, forKey: .piece)
            try fields.encode(token.isSpecial, forKey: .special)
            try fields.encodeIfPresent(token.timestamp, forKey: .timestamp)
            try fields.encode(token.logProbability, forKey: .logProbability)
            try fields.encode(
                token.alternatives.map { Alternative(id: $0.id, piece: $0.piece, logProbability: $0.logProbability) },
                forKey: .alternatives)
        case .discarded(let keeping, let reason):
            try fields.encode("discarded", forKey: .event)
            try fields.encode(keeping, forKey: .keeping)
            try fields.encode(reason, forKey: .reason)
        case .contextShortened(let count):
            try fields.encode("context_shortened", forKey: .event)
            try fields.encode(count, forKey: .droppedMessages)
        case .segment(let segment):
            try fields.encode("segment", forKey: .event)
            try fields.encode(segment, forKey: .segment)
        case .finished(let summary):
            try fields.encode("finished", forKey: .event)
            try fields.encode(summary.reason, forKey: .reason)
            try fields.encode(summary.tokens, forKey: .tokens)
            try fields.encode(summary.encodeSeconds, forKey: .encodeSeconds)
            try fields.encode(summary.prefillSeconds, forKey: .prefillSeconds)
            try fields.encode(summary.decodeSeconds, forKey: .decodeSeconds)
            try fields.encode(summary.tokensPerSecond, forKey: .tokensPerSecond)
            if summary.promptTokens > 0 {
                try fields.encode(summary.promptTokens, forKey: .promptTokens)
                try fields.encode(summary.prefilledTokens, forKey: .prefilledTokens)
            }
        }
    }
}
