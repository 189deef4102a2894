import Foundation
import Generation
import Media
import Models
import Tokenization

/// Pictures of a trace, read from their files.
private func processed(_ paths: [String], _ model: any PictureModel, _ files: ModelFiles) throws -> [ProcessedImage] {
    if paths.isEmpty { return [] }
    let processor = try type(of: model).imageProcessor(of: files)
    return try paths.map { try LoadedPicture(path: $0, processor: processor).processed }
}

/// Traces of models that read a picture with an encoder.
struct CaptionTracer: Tracer {
    private let model: any PictureEncoderDecoder
    private let picture: ProcessedImage
    private let start: [Int]

    static func serves(_ model: any Model) -> Bool { model is any PictureEncoderDecoder }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        guard let model = model as? any PictureEncoderDecoder else {
            throw ProgramError.unsuitableModel(model: input.model, problem: "it does not describe pictures")
        }
        let prompted = model as? any PromptedCaptioner
        let takes = prompted == nil ? "--image FILE" : "--image FILE, and the beginning of a caption as --prompt TEXT"
        try input.requireNone(of: prompted == nil ? [.audio, .ids, .prompt] : [.audio, .ids], takes: takes)
        guard input.images.count == 1 else {
            throw input.refuse("--image", input.images.isEmpty ? "this model takes \(takes)" : "this model takes one picture")
        }
        self.model = model
        if let ids = input.decoderIds {
            if input.prompt != nil { throw input.refuse("--prompt", "it says the same as --decoder-ids; give one of them") }
            start = ids
        } else if let prompt = input.prompt, let prompted {
            start = prompted.startTokens(prompt: try Tokenizer(files).encode(prompt))
        } else {
            start = model.startTokens
        }
        try TraceInput.check(start, option: "--decoder-ids", vocabulary: model.vocabulary)
        guard !start.isEmpty, start.count < model.decoderPositions else {
            throw input.refuse("--decoder-ids", "1 to \(model.decoderPositions - 1) ids")
        }
        picture = try processed(input.images, model, files)[0]
    }

    var layers: Int { max(model.tower.configuration.layers, model.decoderLayers) }
    func endTokens() throws -> Set<Int> { model.endTokens }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        let layout = picture.layout
        try emit(TraceTensor("pixel_values", shape: [3, layout.tileHeight, layout.tileWidth], floats: picture.pixelValues))
        try emit(TraceTensor("decoder_input_ids", integers: start))
        try model.trace(pixels: picture.tile(0), start: start, options: options, emit: emit)
    }
}

/// Traces of models whose text refers to pictures.
struct PictureTextTracer: Tracer {
    private let model: any PictureTextModel
    private let files: ModelFiles
    private let pictures: [ProcessedImage]
    private let prompt: [Int]

    static func serves(_ model: any Model) -> Bool { model is any PictureTextModel }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        guard let model = model as? any PictureTextModel else {
            throw ProgramError.unsuitableModel(model: input.model, problem: "its text does not refer to pictures")
        }
        let takes = "a text, as --prompt TEXT or --ids 1,2,3, and pictures as --image FILE"
        try input.requireNone(of: [.audio, .decoderIds], takes: takes)
        self.model = model
        self.files = files
        pictures = try processed(input.images, model, files)
        let layouts = pictures.map(\.layout)
        if let text = input.prompt, input.ids == nil {
            prompt = try PicturePrompt.tokens(text, layouts: layouts, model: model, tokenizer: Tokenizer(files))
        } else {
            prompt = try input.tokens({ try Tokenizer(files) }, vocabulary: model.inputVocabulary, takes: takes)
        }
        guard prompt.count <= model.contextLength else {
            throw input.refuse("--prompt", "\(prompt.count) tokens; the model has room for \(model.contextLength)")
        }
    }

    var layers: Int { model.decoder.layerCount }
    func endTokens() throws -> Set<Int> { try EndTokens.read(files, Tokenizer(files)) }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        for tensor in model.pixelTensors(pictures) { try emit(tensor) }
        try emit(TraceTensor("input_ids", integers: prompt))
        try model.trace(
            pictures: pictures, prompt: prompt, options: options, includingHiddenStates: options.includesHiddenStates, emit: emit)
    }
}
