import Generation
import Media
import Models
import Tokenization

/// Traces of models whose prompts mention pictures.
struct PicturePromptTracer: Tracer {
    private let model: any PictureReader
    private let files: ModelFiles
    private let pictures: [ProcessedImage]
    private let prompt: [Int]

    static func serves(_ model: any Model) -> Bool {
        !model.capabilities.needsSource && model.pictureReader != nil
    }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        guard !model.capabilities.needsSource, let model = model.pictureReader else {
            throw ProgramError.unsuitableModel(model: input.model, problem: "its prompts mention no pictures")
        }
        let takes =
            "pictures as --image FILE, and a text with \(model.picturePlaceholder ?? "") where each belongs, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.audio, .decoderIds], takes: takes)
        self.model = model
        self.files = files
        let processor = input.images.isEmpty ? nil : try type(of: model).imageProcessor(of: files)
        pictures =
            try processor.map { processor in
                try input.images.map { try LoadedPicture(path: $0, processor: processor).processed }
            } ?? []
        prompt = try Self.prompt(model, files, input, pictures.map(\.layout), takes: takes)
        guard prompt.count <= model.contextLength else {
            throw input.refuse(
                input.ids == nil ? "--prompt" : "--ids",
                "\(prompt.count) tokens; the model has room for \(model.contextLength)")
        }
    }

    /// `--ids` as they are, with as many image tokens as the pictures take; `--prompt` with pictures in their places.
    private static func prompt(
        _ model: any PictureReader, _ files: ModelFiles, _ input: TraceInput, _ layouts: [ImageLayout],
        takes: String
    ) throws -> [Int] {
        if let text = input.prompt, input.ids == nil, !text.isEmpty {
            return try PicturePrompt.tokens(text, layouts: layouts, model: model, tokenizer: Tokenizer(files))
        }
        // The picture's token may be beyond the vocabulary.
        let vocabulary = max(model.vocabulary, (model.pictureToken ?? 0) + 1)
        let ids = try input.tokens({ try Tokenizer(files) }, vocabulary: vocabulary, takes: takes)
        // One for each picture, or one for each of its own rows.
        let given = ids.count { $0 == model.pictureToken }
        let taken = layouts.reduce(0) { $0 + max(1, model.pictureTokens(for: $1)) }
        guard given == taken else {
            throw input.refuse(
                "--ids",
                "the token of pictures, \(model.pictureToken ?? 0), is in it \(given) times; the pictures given take \(taken)"
            )
        }
        return ids
    }

    var layers: Int { max(model.decoder.layerCount, model.encoderLayers) }
    func endTokens() throws -> Set<Int> { try EndTokens.read(files, Tokenizer(files)) }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        try emit(TraceTensor("input_ids", integers: prompt))
        for (index, picture) in pictures.enumerated() {
            try emit(
                TraceTensor(
                    pixelsOf: picture, name: pictures.count > 1 ? "picture\(index).pixel_values" : "pixel_values"))
        }
        try model.trace(.pictures(pictures), prompt: prompt, options: options, emit: emit)
    }
}

/// Traces of models that write what they see in one picture.
struct CaptionTracer: Tracer {
    private let model: any PictureReader
    private let picture: ProcessedImage
    private let start: [Int]

    static func serves(_ model: any Model) -> Bool { model.capabilities.needsSource && model.pictureReader != nil }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        guard model.capabilities.needsSource, let model = model.pictureReader else {
            throw ProgramError.unsuitableModel(model: input.model, problem: "it does not describe pictures")
        }
        let takes = "one picture as --image FILE, and tokens to start with as --decoder-ids"
        try input.requireNone(of: [.audio, .ids], takes: takes)
        guard let image = input.images.first, input.images.count == 1 else {
            throw input.refuse("--image", "this model takes \(takes)")
        }
        self.model = model
        start = try Self.start(model, files, input, takes: takes)
        try TraceInput.check(start, option: "--decoder-ids", vocabulary: model.vocabulary)
        guard !start.isEmpty, start.count < model.contextLength else {
            throw input.refuse("--decoder-ids", "1 to \(model.contextLength - 1) ids")
        }
        picture = try LoadedPicture(path: image, processor: try type(of: model).imageProcessor(of: files)).processed
    }

    private static func start(
        _ model: any PictureReader, _ files: ModelFiles, _ input: TraceInput, takes: String
    ) throws -> [Int] {
        if let ids = input.decoderIds {
            if input.prompt != nil {
                throw input.refuse("--prompt", "it says the same as --decoder-ids; give one of them")
            }
            return ids
        }
        guard let text = input.prompt else { return model.startTokens }
        guard let start = model.startTokens(prompt: try Tokenizer(files).encode(text)) else {
            throw input.refuse("--prompt", "this model takes \(takes)")
        }
        return start
    }

    var layers: Int { max(model.encoderLayers, model.decoder.layerCount) }
    func endTokens() throws -> Set<Int> { model.endTokens }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        try emit(TraceTensor(pixelsOf: picture, name: "pixel_values"))
        try emit(TraceTensor("decoder_start", integers: start))
        // The tower's attention is the encoder's here, as in the fixtures' names.
        try model.trace(.pictures([picture]), prompt: start, options: options, emit: emit)
    }
}

extension TraceTensor {
    /// `[3, height, width]`, with the tiles before it where the model has several.
    fileprivate init(pixelsOf picture: ProcessedImage, name: String) {
        let layout = picture.layout
        let tile = [3, layout.tileHeight, layout.tileWidth]
        let hasTiles = layout.slotCount > 1 || layout.endsWithWholePicture || layout.aspectRatioID != nil
        self.init(name, shape: hasTiles ? [layout.slotCount] + tile : tile, floats: picture.pixelValues)
    }
}
