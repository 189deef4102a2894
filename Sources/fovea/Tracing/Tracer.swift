import Foundation
import Generation
import Media
import Models
import Speech
import Tokenization

/// A greedy run of a model on one input, written down tensor by tensor.
///
/// Making one checks the input against the model, whose weights are still on disk.
struct Tracer {
    let model: any Model
    /// The source that is encoded before the decoder runs.
    private var source: ModelInput?
    /// The decoder's first tokens.
    private var prompt: [Int] = []
    /// Tensors of the input, written first.
    private var given: [TraceTensor] = []
    /// Tokens that end a run with `--stop-at-end`.
    private var ends: () throws -> Set<Int> = { [] }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        self.model = model
        let capabilities = model.capabilities
        if let reader = model.soundReader {
            try readSound(reader, files, input)
        } else if capabilities.needsSource, let reader = model.textSource {
            try readText(reader, files, input)
        } else if capabilities.needsSource, let reader = model.pictureReader {
            try readPicture(reader, files, input)
        } else if let reader = model.pictureReader {
            try continueTextWithPictures(reader, files, input)
        } else {
            try continueText(files, input)
        }
    }

    /// Layers whose attention can be written.
    var layers: Int { max(model.encoderLayers, model.decoder.layerCount) }

    func endTokens() throws -> Set<Int> { try ends() }

    /// Runs the loaded model.
    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        for tensor in given { try emit(tensor) }
        try model.trace(source, prompt: prompt, options: options, emit: emit)
    }

    // MARK: Kinds of input

    /// A recording's first window.
    private mutating func readSound(_ reader: any SoundReader, _ files: ModelFiles, _ input: TraceInput) throws {
        try input.requireNone(
            of: [.ids, .prompt, .image], takes: "--audio FILE, and tokens to start with as --decoder-ids")
        guard let audio = input.audio else { throw input.refuse("--audio", "a speech model needs a recording") }
        let recording = try SpeechSetup.recording(audio)
        func tokens() throws -> SpeechTokens { try SpeechTokens(Tokenizer(files)) }
        // A tokenizer is needed only for the model's own start tokens.
        prompt = try input.decoderTokens(reader) { try tokens().traceStart(language: input.language, task: input.task) }
        ends = { [try tokens().endOfText] }
        let features = try LogMelSpectrogram(.init(melCount: reader.soundGeometry.mels)).window(recording.samples)
        source = .logMel(features.values)
        given = [
            TraceTensor("features", shape: [features.melCount, features.frameCount], floats: features.values),
            TraceTensor("decoder_input_ids", integers: prompt),
        ]
    }

    /// A text for the encoder.
    private mutating func readText(_ reader: any TextSource, _ files: ModelFiles, _ input: TraceInput) throws {
        let takes = "a text, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.image, .audio], takes: takes)
        source = .tokens(
            try input.tokens({ try TokenizerPair(files).source }, vocabulary: reader.sourceVocabulary, takes: takes))
        let model = model
        prompt = try input.decoderTokens(model) { model.startTokens }
        ends = { model.endTokens }
        given = [TraceTensor("decoder_input_ids", integers: prompt)]
    }

    /// One picture for the encoder.
    private mutating func readPicture(_ reader: any PictureReader, _ files: ModelFiles, _ input: TraceInput) throws {
        let takes = "one picture as --image FILE, and tokens to start with as --decoder-ids"
        try input.requireNone(of: [.audio, .ids], takes: takes)
        guard let image = input.images.first, input.images.count == 1 else {
            throw input.refuse("--image", "this model takes \(takes)")
        }
        if input.decoderIds != nil, input.prompt != nil {
            throw input.refuse("--prompt", "it says the same as --decoder-ids; give one of them")
        }
        let model = model
        prompt = try input.decoderTokens(model) {
            guard let text = input.prompt else { return model.startTokens }
            guard let start = model.startTokens(prompt: try Tokenizer(files).encode(text)) else {
                throw input.refuse("--prompt", "this model takes \(takes)")
            }
            guard start.count < model.contextLength else {
                throw input.refuse("--prompt", "\(start.count) tokens; the model has room for \(model.contextLength)")
            }
            return start
        }
        ends = { model.endTokens }
        let picture = try LoadedPicture(path: image, processor: reader.imageProcessor(of: files)).processed
        source = .pictures([picture])
        given = [
            TraceTensor(pixelsOf: picture, name: "pixel_values"), TraceTensor("decoder_start", integers: prompt),
        ]
    }

    /// Pictures that a text mentions.
    private mutating func continueTextWithPictures(
        _ reader: any PictureReader, _ files: ModelFiles, _ input: TraceInput
    ) throws {
        let takes =
            "pictures as --image FILE, and a text with \(reader.picturePlaceholder ?? "") where each belongs, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.audio, .decoderIds], takes: takes)
        let processor = input.images.isEmpty ? nil : try reader.imageProcessor(of: files)
        let pictures =
            try processor.map { processor in
                try input.images.map { try LoadedPicture(path: $0, processor: processor).processed }
            } ?? []
        prompt = try Self.prompt(reader, files, input, pictures.map(\.layout), takes: takes)
        try checkLength(input)
        ends = { try EndTokens.read(files, Tokenizer(files)) }
        source = .pictures(pictures)
        given = [TraceTensor("input_ids", integers: prompt)]
        for (index, picture) in pictures.enumerated() {
            let name = pictures.count > 1 ? "picture\(index).pixel_values" : "pixel_values"
            given.append(TraceTensor(pixelsOf: picture, name: name))
        }
    }

    /// `--ids` as they are, with as many image tokens as the pictures take; `--prompt` with pictures in their places.
    private static func prompt(
        _ model: any PictureReader, _ files: ModelFiles, _ input: TraceInput, _ layouts: [ImageLayout], takes: String
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
                "the image token, \(model.pictureToken ?? 0), is in it \(given) times; the pictures given take \(taken)"
            )
        }
        return ids
    }

    /// A text for the decoder.
    private mutating func continueText(_ files: ModelFiles, _ input: TraceInput) throws {
        let takes = "a text, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.image, .audio, .decoderIds], takes: takes)
        prompt = try input.tokens({ try Tokenizer(files) }, vocabulary: model.vocabulary, takes: takes)
        try checkLength(input)
        ends = { try EndTokens.read(files, Tokenizer(files)) }
        given = [TraceTensor("input_ids", integers: prompt)]
    }

    private func checkLength(_ input: TraceInput) throws {
        guard prompt.count > model.contextLength else { return }
        throw input.refuse(
            input.ids == nil ? "--prompt" : "--ids",
            "\(prompt.count) tokens; the model has room for \(model.contextLength); --context makes more")
    }
}

extension SpeechTokens {
    /// Start tokens of a trace: one window without timestamps.
    fileprivate func traceStart(language: String, task: SpeechTask) throws -> [Int] {
        if !isMultilingual, task == .translate { throw GenerationError.monolingual(asked: "translation") }
        return try startSequence(language: language, task: task) + [requiredNoTimestamps()]
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
