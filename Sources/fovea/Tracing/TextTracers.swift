import Foundation
import Generation
import Models
import Tokenization

/// Traces of models that read one text and write another.
struct TranslationTracer: Tracer {
    private let model: any TextSource
    private let source: [Int]
    private let start: [Int]

    static func serves(_ model: any Model) -> Bool { model.textSource != nil }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        guard let model = model.textSource else {
            throw ProgramError.unsuitableModel(
                model: input.model, problem: "it does not read one text to write another")
        }
        let takes = "a text, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.image, .audio], takes: takes)
        self.model = model
        source = try input.tokens({ try SourceTokenizer.of(files) }, vocabulary: model.sourceVocabulary, takes: takes)
        start = input.decoderIds ?? model.startTokens
        try TraceInput.check(start, option: "--decoder-ids", vocabulary: model.vocabulary)
        guard !start.isEmpty, start.count < model.contextLength else {
            throw input.refuse("--decoder-ids", "1 to \(model.contextLength - 1) ids")
        }
    }

    var layers: Int { max(model.encoderLayers, model.decoder.layerCount) }
    func endTokens() throws -> Set<Int> { model.endTokens }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        try emit(TraceTensor("decoder_input_ids", integers: start))
        try model.trace(.tokens(source), prompt: start, options: options, emit: emit)
    }
}

/// Traces of models that continue a text.
struct TextTracer: Tracer {
    private let model: any Model
    private let files: ModelFiles
    private let prompt: [Int]

    static func serves(_ model: any Model) -> Bool { !model.capabilities.needsSource }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        guard !model.capabilities.needsSource else {
            throw ProgramError.unsuitableModel(model: input.model, problem: "it does not continue texts")
        }
        let takes = "a text, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.image, .audio, .decoderIds], takes: takes)
        self.model = model
        self.files = files
        prompt = try input.tokens({ try Tokenizer(files) }, vocabulary: model.vocabulary, takes: takes)
        guard prompt.count <= model.contextLength else {
            throw input.refuse("--prompt", "\(prompt.count) tokens; the model has room for \(model.contextLength)")
        }
    }

    var layers: Int { model.decoder.layerCount }
    func endTokens() throws -> Set<Int> { try EndTokens.read(files, Tokenizer(files)) }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        try emit(TraceTensor("input_ids", integers: prompt))
        try model.trace(prompt: prompt, options: options, emit: emit)
    }
}
