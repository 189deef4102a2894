import Generation

/// An event of generation as a flat JSON object. The spectrogram and captured attention are left out: `fovea trace` writes
/// them to a file.
struct EventReport: Encodable {
    private let fields: KeyValuePairs<String, (any Encodable)?>

    init(_ event: GenerationEvent) {
        fields =
            switch event {
            case .inputPrepared(.audio(let window)):
                [
                    "event": "input_prepared", "window": window.index, "start": window.start,
                    "duration": window.duration, "mels": window.mels, "frames": window.frames,
                    "language": window.language, "languageProbability": window.languageProbability,
                ]
            case .inputPrepared(.picture(let picture)):
                [
                    "event": "input_prepared", "picture": picture.index, "name": picture.name, "width": picture.width,
                    "height": picture.height, "attention": picture.kind, "keys": picture.keys.count,
                    "familiar": picture.isFamiliar,
                ]
            case .inputPrepared(.source(let source)):
                [
                    "event": "input_prepared",
                    "source": source.tokens.map { SourceToken(id: $0.id, text: $0.text, special: $0.isSpecial) },
                ]
            case .encoded(let seconds): ["event": "encoded", "seconds": seconds]
            case .token(let token):
                [
                    "event": "token", "index": token.index, "window": token.window, "id": token.id,
                    "text": token.text, "thought": token.thought, "piece": token.piece, "special": token.isSpecial,
                    "timestamp": token.timestamp, "logProbability": token.logProbability,
                    "alternatives": token.alternatives,
                ]
            case .discarded(let keeping, let reason): ["event": "discarded", "keeping": keeping, "reason": reason]
            case .contextShortened(let count): ["event": "context_shortened", "droppedMessages": count]
            case .deviceReopened(let name): ["event": "device_reopened", "device": name]
            case .segment(let segment): ["event": "segment", "segment": segment]
            case .finished(let summary):
                [
                    "event": "finished", "reason": summary.reason, "tokens": summary.tokens,
                    "encodeSeconds": summary.encodeSeconds, "prefillSeconds": summary.prefillSeconds,
                    "decodeSeconds": summary.decodeSeconds, "tokensPerSecond": summary.tokensPerSecond,
                    "promptTokens": summary.promptTokens > 0 ? summary.promptTokens : nil,
                    "prefilledTokens": summary.promptTokens > 0 ? summary.prefilledTokens : nil,
                ]
            }
    }

    private struct SourceToken: Encodable {
        let id: Int
        let text: String
        let special: Bool
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        for case (let name, let value?) in fields { try container.encode(value, forKey: Key(stringValue: name)) }
    }
}
