import ArgumentParser
import Foundation
import Generation

/// `fovea run`: one answer of a model, streamed.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "One answer of a model on standard output, as it comes.",
        discussion: """
            With --json every event is one line of JSON: input_prepared, encoded, token, discarded, segment, finished. \
            Without it only text that stands is written: a token that the model takes back never appears.
            """)

    @OptionGroup var model: ModelArgument

    @Option(name: .long, help: ArgumentHelp("A recording for a model that listens.", valueName: "file"))
    var audio: String?

    @Option(name: .long, help: ArgumentHelp("Text for the model; a speech model takes it for what was said before.", valueName: "text"))
    var prompt: String?

    @Option(name: .long, help: ArgumentHelp("The most tokens to write (for speech: in each window of 30 s).", valueName: "n"))
    var maxTokens: Int?

    @OptionGroup var speech: SpeechOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = try model.path()
        guard let audio else {
            // The only models that run so far listen; the message holds for every speech model.
            throw ProgramError.option(name: "--audio", problem: "a speech model needs a recording: fovea run \(model.model) --audio FILE")
        }
        let recording = try SpeechSetup.recording(audio)
        let device = try device.open()
        let session = try SpeechSetup.session(path, on: device)
        defer { device.savePipelineCache() }

        var options = speech.transcription()
        options.initialPrompt = prompt
        options.maximumTokensPerWindow = maxTokens
        let json = output.json
        let transcript = try session.transcribe(recording, options: options) { event in
            if json {
                try JSONOutput.printLine(EventReport(event))
            } else if case .segment(let segment) = event {
                try Console.write(HarmlessText.text(segment.index == 0 ? String(segment.text.trimmingPrefix(" ")) : segment.text))
            }
        }
        if !json, !transcript.segments.isEmpty { try Console.writeLine() }
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
        case event, window, start, duration, mels, frames, language, languageProbability, seconds, index, id, text, piece, special
        case timestamp, logProbability, alternatives, keeping, reason, segment, tokens, encodeSeconds, prefillSeconds, decodeSeconds
        case tokensPerSecond, picture, name, width, height, attention, keys, source
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
            try fields.encode(source.tokens.map { SourceToken(id: $0.id, text: $0.text, special: $0.isSpecial) }, forKey: .source)
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
                token.alternatives.map { Alternative(id: $0.id, piece: $0.piece, logProbability: $0.logProbability) }, forKey: .alternatives)
        case .discarded(let keeping, let reason):
            try fields.encode("discarded", forKey: .event)
            try fields.encode(keeping, forKey: .keeping)
            try fields.encode(reason, forKey: .reason)
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
        }
    }
}
