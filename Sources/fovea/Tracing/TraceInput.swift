import Foundation
import Generation
import Models
import Tokenization

/// Input of a trace, as given on the command line.
struct TraceInput {
    /// The MODEL argument, for messages.
    var model: String
    var ids: [Int]?
    var prompt: String?
    /// A conversation in the model's chat format, in place of `prompt` and `images`.
    var messages: [ChatMessage]?
    var images: [String] = []
    var audio: String?
    var decoderIds: [Int]?
    var language = "en"
    var task = SpeechTask.transcribe
    /// Languages of a translation; nil leaves the tokenizer's, and no target.
    var sourceLanguage: String?
    var targetLanguage: String?

    /// The error for an option that does not apply to this model.
    func refuse(_ option: String, _ problem: String) -> ProgramError { .option(name: option, problem: problem) }

    /// Refuses options that the model does not take.
    /// - Parameter takes: the input that it does take.
    func requireNone(of options: [TraceOption], takes: String) throws {
        for option in options where option.isGiven(self) { throw refuse(option.rawValue, "this model takes \(takes)") }
    }

    /// Tokens of the text: `--ids`, or `--prompt` through the tokenizer, which also reads special tokens.
    func tokens(_ tokenizer: () throws -> Tokenizer, vocabulary: Int, takes: String) throws -> [Int] {
        let tokens: [Int]
        if let ids {
            if prompt != nil { throw refuse("--prompt", "it says the same as --ids; give one of them") }
            tokens = ids
        } else if let prompt {
            tokens = try tokenizer().encode(prompt)
        } else {
            throw refuse("--prompt", "this model takes \(takes)")
        }
        if tokens.isEmpty { throw refuse(ids == nil ? "--prompt" : "--ids", "there are no tokens in it") }
        try Self.check(tokens, option: ids == nil ? "--prompt" : "--ids", vocabulary: vocabulary)
        return tokens
    }

    /// The decoder's first tokens: `--decoder-ids`, or the model's own.
    func decoderTokens(_ model: any Model, _ own: () throws -> [Int]) throws -> [Int] {
        guard let decoderIds else { return try own() }
        try Self.check(decoderIds, option: "--decoder-ids", vocabulary: model.vocabulary)
        guard !decoderIds.isEmpty, decoderIds.count < model.contextLength else {
            throw refuse("--decoder-ids", "1 to \(model.contextLength - 1) ids")
        }
        return decoderIds
    }

    static func check(_ ids: [Int], option: String, vocabulary: Int) throws {
        for id in ids where !(0..<vocabulary).contains(id) {
            throw ProgramError.option(name: option, problem: "\(id) is not in the vocabulary of \(vocabulary)")
        }
    }
}

/// Options that give a trace its input.
enum TraceOption: String {
    case ids = "--ids"
    case prompt = "--prompt"
    case image = "--image"
    case audio = "--audio"
    case decoderIds = "--decoder-ids"

    func isGiven(_ input: TraceInput) -> Bool {
        switch self {
        case .ids: input.ids != nil
        case .prompt: input.prompt != nil
        case .image: !input.images.isEmpty
        case .audio: input.audio != nil
        case .decoderIds: input.decoderIds != nil
        }
    }
}
