import AttentionTypes
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
    private let resources: TraceResources
    /// The source that is encoded before the decoder runs.
    private var source: ModelInput?
    /// The decoder's first tokens.
    private(set) var prompt: [Int] = []
    /// Tensors of the input, written first.
    private var given: [TraceTensor] = []
    /// Tokens that end a run with `--stop-at-end`.
    private var ends: () throws -> Set<Int> = { [] }

    init(_ resources: TraceResources, input: TraceInput) throws {
        self.resources = resources
        let input = try input.withoutMessages(of: resources.model)
        if let reader = model.soundReader {
            try readSound(reader, input)
        } else if let reader = model.waveformReader {
            try readWaveform(reader, input)
        } else if model.capabilities.needsSource, let reader = model.textSource {
            try readText(reader, input)
        } else if model.capabilities.needsSource, let reader = model.pictureReader {
            try readPicture(reader, input)
        } else if let reader = model.pictureReader {
            try continueTextWithPictures(reader, input)
        } else {
            try continueText(input)
        }
    }

    private var model: any Model { resources.model }

    /// Layers whose attention can be written.
    var layers: Int { max(model.encoderLayers, model.decoder.layerCount) }

    func endTokens() throws -> Set<Int> { try ends() }

    /// Runs the loaded model.
    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        for tensor in given { try emit(tensor) }
        try model.trace(source, prompt: prompt, options: options, emit: emit)
    }

    // MARK: The input, for an index

    /// Tokens of the encoder's text.
    var sourceTokens: [Int]? {
        if case .tokens(let tokens, _) = source { tokens } else { nil }
    }

    /// Positions of the encoded sound.
    var soundPositions: Int? { model.soundReader?.soundGeometry.positions }

    /// The tokenizer of what the model writes; nil where the files have none.
    var outputTokenizer: Tokenizer? { try? resources.tokenizer() }

    /// Places of the pictures' parts among the watched keys.
    func pictureGeometry() -> [PictureGrid]? {
        guard let reader = model.pictureReader, case .pictures(let pictures, _) = source else { return nil }
        let layouts = pictures.map(\.layout)
        return zip(layouts, reader.pictureKeys(layouts, in: prompt)).map { PictureGrid($0, keys: $1) }
    }

    /// Keys of the decoder's cross-attention; 0 where it has none.
    private var sourceKeys: Int {
        switch source {
        case .tokens(let tokens, _): tokens.count
        case .logMel: soundPositions ?? 0
        case .samples(let samples):
            (model.waveformReader?.samplesPerPosition).map { (samples.count + $0 - 1) / $0 } ?? 0
        case .pictures(let pictures, _):
            model.pictureReader?.pictureKeys(pictures.map(\.layout), in: prompt).joined().map { $0.key + 1 }.max() ?? 0
        case .prompted(let picture, let tokens):
            (model.pictureReader?.pictureKeys([picture.layout], in: tokens).joined().map { $0.key + 1 }.max() ?? 0)
                + tokens.count
        case nil: 0
        }
    }

    /// Bytes of the attention that a batch keeps of this input, if the model writes `maximumTokens`.
    func bytes(of selection: KeptAttention, maximumTokens: Int) -> Int {
        let decoder = model.decoder
        let tokens = min(maximumTokens, max(0, model.contextLength - prompt.count))
        let promptRows = selection.promptRows == .all ? prompt.count : 1
        func layers(_ kind: AttentionKind, of all: [Int]) -> Int {
            guard selection.kinds.contains(kind) else { return 0 }
            return all.count { selection.layers?.contains($0) ?? true }
        }
        let heads = selection.heads?.count ?? decoder.heads
        func bytes(_ rows: Int, _ keys: Int) -> Int { selection.bytes(heads: heads, rows: rows, keys: keys) }
        var selfBytes = bytes(promptRows, prompt.count)
        for step in 0..<tokens { selfBytes += bytes(1, prompt.count + step + 1) }
        let encoder = Array(0..<model.encoderLayers)
        return layers(.selfAttention, of: decoder.layers(of: .selfAttention)) * selfBytes
            + layers(.cross, of: decoder.layers(of: .cross)) * bytes(promptRows + tokens, sourceKeys)
            + max(layers(.encoder, of: encoder), layers(.vision, of: encoder)) * bytes(sourceKeys, sourceKeys)
    }

    // MARK: Kinds of input

    /// A recording's first window.
    private mutating func readSound(_ reader: any SoundReader, _ input: TraceInput) throws {
        try input.requireNone(
            of: [.ids, .prompt, .image], takes: "--audio FILE, and tokens to start with as --decoder-ids")
        guard let audio = input.audio else { throw input.refuse("--audio", "a speech model needs a recording") }
        let recording = try SpeechSetup.recording(audio)
        // A tokenizer is needed only for the model's own start tokens.
        prompt = try input.decoderTokens(reader) {
            try resources.speechTokens().traceStart(language: input.language, task: input.task)
        }
        ends = { [resources] in [try resources.speechTokens().endOfText] }
        let features = try LogMelSpectrogram(reader, from: resources.files).window(recording.samples)
        source = .logMel(features.values)
        given = [
            TraceTensor("features", shape: [features.melCount, features.frameCount], floats: features.values),
            TraceTensor("decoder_input_ids", integers: prompt),
        ]
    }

    /// A recording as its samples, from its beginning as far as the model takes them.
    private mutating func readWaveform(_ reader: any WaveformReader, _ input: TraceInput) throws {
        try input.requireNone(
            of: [.ids, .prompt, .image], takes: "--audio FILE, and tokens to start with as --decoder-ids")
        guard let audio = input.audio else { throw input.refuse("--audio", "a speech model needs a recording") }
        let samples = Array(try SpeechSetup.recording(audio).samples.prefix(reader.sampleLimits.upperBound))
        guard samples.count >= reader.sampleLimits.lowerBound else {
            throw input.refuse(
                "--audio", "\(samples.count) samples; the model needs at least \(reader.sampleLimits.lowerBound)")
        }
        prompt = try input.decoderTokens(reader) { reader.startTokens }
        ends = { reader.endTokens }
        source = .samples(samples)
        given = [TraceTensor("decoder_start", integers: prompt)]
    }

    /// A text for the encoder.
    private mutating func readText(_ reader: any TextSource, _ input: TraceInput) throws {
        let takes = "a text, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.image, .audio], takes: takes)
        var tokens = try input.tokens(
            { try resources.tokenizerPair().source }, vocabulary: reader.sourceVocabulary, takes: takes)
        let model = model
        var start = model.startTokens
        if input.sourceLanguage != nil || input.targetLanguage != nil {
            // A trace starts as it is told to; without a target, with the model's own tokens.
            let translation = try TranslationPrompt(
                source: tokens, start: start, from: input.sourceLanguage, to: input.targetLanguage,
                tokenizer: resources.tokenizer(), hasOwnTarget: true)
            (tokens, start) = (translation.source, translation.start)
        }
        source = .tokens(tokens)
        prompt = try input.decoderTokens(model) { start }
        ends = { model.endTokens }
        given = [TraceTensor("decoder_input_ids", integers: prompt)]
    }

    /// One picture for the encoder.
    private mutating func readPicture(_ reader: any PictureReader, _ input: TraceInput) throws {
        let takes = "one picture as --image FILE, and tokens to start with as --decoder-ids"
        try input.requireNone(of: [.audio, .ids], takes: takes)
        guard let image = input.images.first, input.images.count == 1 else {
            throw input.refuse("--image", "this model takes \(takes)")
        }
        if input.decoderIds != nil, input.prompt != nil, model.promptedPictureReader == nil {
            throw input.refuse("--prompt", "it says the same as --decoder-ids; give one of them")
        }
        let model = model
        if let prompted = model.promptedPictureReader { return try readPrompted(prompted, input, image: image) }
        prompt = try input.decoderTokens(model) {
            guard let text = input.prompt else { return model.startTokens }
            guard let start = model.startTokens(prompt: try resources.tokenizer().encode(text)) else {
                throw input.refuse("--prompt", "this model takes \(takes)")
            }
            guard start.count < model.contextLength else {
                throw input.refuse("--prompt", "\(start.count) tokens; the model has room for \(model.contextLength)")
            }
            return start
        }
        ends = { model.endTokens }
        let picture = try LoadedPicture(path: image, processor: resources.imageProcessor(of: reader)).processed
        source = .pictures([picture])
        given = [
            TraceTensor(pixelsOf: picture, name: "pixel_values"), TraceTensor("decoder_start", integers: prompt),
        ]
    }

    /// One picture and a prompt, which the encoder reads together.
    private mutating func readPrompted(
        _ reader: any PromptedPictureReader, _ input: TraceInput, image: String
    ) throws {
        prompt = try input.decoderTokens(reader) { reader.startTokens }
        let text = try reader.promptText(for: input.prompt ?? "")
        let tokens = try resources.tokenizer().encode(text)
        ends = { reader.endTokens }
        let picture = try LoadedPicture(path: image, processor: resources.imageProcessor(of: reader)).processed
        source = .prompted(picture, tokens: tokens)
        given = [
            TraceTensor(pixelsOf: picture, name: "pixel_values"), TraceTensor("prompt_ids", integers: tokens),
            TraceTensor("decoder_start", integers: prompt),
        ]
    }

    /// Pictures that a text mentions.
    private mutating func continueTextWithPictures(_ reader: any PictureReader, _ input: TraceInput) throws {
        let takes =
            "pictures as --image FILE, and a text with \(reader.picturePlaceholder ?? "") where each belongs, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.audio, .decoderIds], takes: takes)
        let paths = input.messages?.flatMap(\.pictures) ?? input.images
        let pictures = try paths.map {
            try LoadedPicture(path: $0, processor: resources.imageProcessor(of: reader)).processed
        }
        prompt = try prompt(reader, input, pictures.map(\.layout), takes: takes)
        try checkLength(input)
        ends = { [resources] in try EndTokens.read(resources.files, resources.tokenizer()) }
        source = .pictures(pictures)
        given = [TraceTensor("input_ids", integers: prompt)]
        for (index, picture) in pictures.enumerated() {
            let name = pictures.count > 1 ? "picture\(index).pixel_values" : "pixel_values"
            given.append(TraceTensor(pixelsOf: picture, name: name))
        }
    }

    /// `--ids` as they are, with as many image tokens as the pictures take; `--prompt` with pictures in their places.
    private func prompt(
        _ model: any PictureReader, _ input: TraceInput, _ layouts: [ImageLayout], takes: String
    ) throws -> [Int] {
        if let messages = input.messages {
            let text = try resources.chatFormat().text(messages, addingGenerationPrompt: true)
            let tokenizer = try resources.tokenizer()
            guard let placeholder = model.picturePlaceholder, tokenizer.id(of: placeholder) == nil else {
                return try PicturePrompt.expand(
                    text.tokens(tokenizer), layouts: layouts, model: model, tokenizer: tokenizer)
            }
            return try PicturePrompt.tokens(text.string, layouts: layouts, model: model, tokenizer: tokenizer)
        }
        if let text = input.prompt, input.ids == nil, !text.isEmpty {
            return try PicturePrompt.tokens(text, layouts: layouts, model: model, tokenizer: resources.tokenizer())
        }
        // The picture's token may be beyond the vocabulary.
        let vocabulary = max(model.vocabulary, (model.pictureToken ?? 0) + 1)
        let ids = try input.tokens({ try resources.tokenizer() }, vocabulary: vocabulary, takes: takes)
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
    private mutating func continueText(_ input: TraceInput) throws {
        let takes = "a text, as --prompt TEXT or --ids 1,2,3"
        try input.requireNone(of: [.image, .audio, .decoderIds], takes: takes)
        if let messages = input.messages {
            prompt = try resources.chatFormat().text(messages, addingGenerationPrompt: true).tokens(
                resources.tokenizer())
        } else {
            prompt = try input.tokens({ try resources.tokenizer() }, vocabulary: model.vocabulary, takes: takes)
        }
        try checkLength(input)
        ends = { [resources] in try EndTokens.read(resources.files, resources.tokenizer()) }
        given = [TraceTensor("input_ids", integers: prompt)]
    }

    private func checkLength(_ input: TraceInput) throws {
        guard prompt.count > model.contextLength else { return }
        throw input.refuse(
            input.ids == nil ? "--prompt" : "--ids",
            "\(prompt.count) tokens; the model has room for \(model.contextLength); --context makes more")
    }
}

extension TraceInput {
    /// For models that hold no conversations: the last message's text and pictures as the input.
    fileprivate func withoutMessages(of model: any Model) throws -> TraceInput {
        guard let messages else { return self }
        if prompt != nil || ids != nil || !images.isEmpty {
            throw refuse("messages", "they say the same as prompt, ids and image; give one of them")
        }
        guard model.capabilities.needsSource else { return self }
        var input = self
        input.messages = nil
        if let last = messages.last(where: { $0.role == .user }) {
            input.prompt = last.text.isEmpty ? nil : last.text
            input.images = last.pictures
        }
        return input
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
