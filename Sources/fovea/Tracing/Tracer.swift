import NumberFormats
import Foundation
import Generation
import Models
import Tokenization
import Transformer

/// What a trace is made of, as the command line names it.
struct TraceInput {
    /// The model as the person wrote it, for messages.
    var model: String
    var ids: [Int]?
    var prompt: String?
    var images: [String] = []
    var audio: String?
    var decoderIds: [Int]?
    var language = "en"
    var task = SpeechTask.transcribe

    /// An option that this model has no use for.
    func refuse(_ option: String, _ problem: String) -> ProgramError { .option(name: option, problem: problem) }

    /// Refuses what a model does not take, naming what it does.
    func requireNone(of options: [TraceOption], takes: String) throws {
        for option in options where option.isGiven(self) { throw refuse(option.rawValue, "this model takes \(takes)") }
    }

    /// The text's tokens: `--ids`, or `--prompt` through the tokenizer, special tokens in it meant as such.
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

/// Runs a kind of model on an input and writes down what it computed.
protocol Tracer: SendableMetatype {
    /// Whether this kind of tracer runs a model, by the protocols it meets.
    static func serves(_ model: any Model) -> Bool
    /// Checks the input against the model, whose weights are still on disk.
    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws
    /// Layers that attention may be asked of.
    var layers: Int { get }
    /// Tokens that end a run where that is asked for.
    func endTokens() throws -> Set<Int>
    /// Runs the loaded model.
    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws
}

/// The kinds of tracer there are; the first that serves a model runs it.
enum TracerRegistry {
    static let kinds: [any Tracer.Type] = [
        SpeechTracer.self, TranslationTracer.self, PicturePromptTracer.self, CaptionTracer.self, TextTracer.self,
    ]

    static func make(_ model: any Model, from files: ModelFiles, input: TraceInput) throws -> any Tracer {
        guard let kind = kinds.first(where: { $0.serves(model) }) else {
            throw ProgramError.unsuitableModel(model: input.model, problem: "models of its kind cannot be traced yet")
        }
        return try kind.init(model, from: files, input: input)
    }
}
