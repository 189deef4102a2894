/// A request that cannot be answered, or a model or tokenizer that does not fit the task.
package enum GenerationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// An option outside its range, or options that exclude each other.
    case invalidOption(name: String, value: String, allowed: String)
    /// A decoder's output does not have the promised shape.
    case decoderOutput(operation: String, expected: String, actual: String)
    /// Every token was forbidden, or the model computed no number.
    case noCandidate(step: Int)
    case promptTooLong(tokens: Int, maximum: Int)
    /// A spectrogram whose size does not match its shape.
    case recording(expected: String, actual: String)
    case unknownLanguage(String, known: [String])
    /// A translation into no language in particular.
    case noTargetLanguage(known: [String])
    /// An English-only model was asked for something else.
    case monolingual(asked: String)
    /// The tokenizer lacks a token that the task needs.
    case missingToken(String)
    /// A model that does not transcribe, where a speech model is needed.
    case notASpeechModel(path: String, type: String)
    /// A model that no session serves.
    case noSession(path: String, type: String)
    /// A request without the input that the model takes, or with another one.
    case unsuitableInput(family: String, problem: String, takes: String)
    /// A message, together with the system prompt, that is longer than the context.
    case messageTooLong(tokens: Int, maximum: Int)
    /// An unknown name of a chat format.
    case unknownChatFormat(String, known: [String])
    /// A checkpoint has no chat template.
    case noChatTemplate(file: String, known: [String])
    /// A checkpoint's chat template cannot be read or rendered.
    case chatTemplate(file: String, problem: String, known: [String])
    /// A conversation that a chat format refuses.
    case conversation(format: String, problem: String)
    /// A prompt whose number of picture placeholders differs from the number of pictures.
    case pictureCount(places: Int, pictures: Int)
    /// A request before a model was loaded.
    case noModel

    package var description: String {
        switch self {
        case .invalidOption(let name, let value, let allowed): "option \(name): \(value) given, allowed is \(allowed)"
        case .decoderOutput(let operation, let expected, let actual):
            "decoder, \(operation): expected \(expected), got \(actual)"
        case .noCandidate(let step):
            "decoding step \(step): no token is left to choose (all are suppressed, or the logits are not numbers); check the suppression lists and the weights"
        case .promptTooLong(let tokens, let maximum):
            "the prompt has \(tokens) tokens; the model takes at most \(maximum): shorten it, or load the model with a longer --context"
        case .recording(let expected, let actual): "recording: expected \(expected), got \(actual)"
        case .unknownLanguage(let code, let known):
            "this model does not know the language \(code); it knows \(known.joined(separator: ", "))"
        case .noTargetLanguage(let known):
            "say which language to translate into with --target-language: \(known.joined(separator: ", "))"
        case .monolingual(let asked): "\(asked) needs a multilingual model; this one knows English only"
        case .missingToken(let piece):
            "the tokenizer has no \(piece) token, which this task needs; is this the model's own tokenizer?"
        case .notASpeechModel(let path, let type):
            "\(path): a “\(type)” model does not transcribe speech; choose a Whisper model"
        case .noSession(let path, let type):
            "\(path): a “\(type)” model can be inspected and planned, but it cannot answer requests yet"
        case .unsuitableInput(let family, let problem, let takes): "\(family): \(problem); it takes \(takes)"
        case .messageTooLong(let tokens, let maximum):
            "the message and what belongs to it have \(tokens) tokens; there is room for \(maximum): shorten it, or load the model with a longer --context"
        case .unknownChatFormat(let name, let known):
            "no chat format is called “\(name)”; --chat-format takes \(known.joined(separator: ", "))"
        case .noChatTemplate(let file, let known):
            "\(file): there is no chat template; name the format with --chat-format (\(known.joined(separator: ", ")))"
        case .chatTemplate(let file, let problem, let known):
            "\(file): chat template, \(problem); name another format with --chat-format (\(known.joined(separator: ", ")))"
        case .conversation(let format, let problem): "the \(format) refuses this conversation: \(problem)"
        case .pictureCount(let places, let pictures):
            "the prompt has places for \(places) pictures, but \(pictures) were given; each picture needs its place in the text"
        case .noModel: "no model is loaded; choose one with /model"
        }
    }
}
