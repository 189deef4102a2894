import Checkpoint
import Compute
import Formats
import Transformer

// Whisper (Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision"): an encoder over a
// log-mel spectrogram and a decoder with cross-attention to it. Reference: transformers' modeling_whisper.

// MARK: - Configuration

extension Whisper {
    public struct Configuration: Sendable, Hashable {
        public var mels = 80
        public var vocabulary = 51865
        public var size = 384
        public var encoderLayers = 4
        public var encoderHeads = 6
        public var encoderHidden = 1536
        public var decoderLayers = 4
        public var decoderHeads = 6
        public var decoderHidden = 1536
        /// Encoder positions, 20 ms each: half the mel frames of a window.
        public var audioPositions = 1500
        public var textPositions = 448
        public var scalesEmbedding = false
        /// Decoder heads that follow the sound in time, as (layer, head); empty where the checkpoint names none.
        public var alignmentHeads: [AlignmentHead] = []

        public struct AlignmentHead: Sendable, Hashable {
            public let layer: Int
            public let head: Int
        }

        /// Mel frames of one window.
        public var frames: Int { audioPositions * 2 }

        public init() {}

        /// Reads a Hugging Face `config.json` (and `generation_config.json`).
        public init(_ file: ModelConfiguration) throws {
            let main = file.main
            mels = try main.int("num_mel_bins", default: 80)
            vocabulary = try main.int("vocab_size", default: 51865)
            size = try main.int("d_model", default: 384)
            encoderLayers = try main.int("encoder_layers", default: 4)
            encoderHeads = try main.int("encoder_attention_heads", default: 6)
            encoderHidden = try main.int("encoder_ffn_dim", default: 1536)
            decoderLayers = try main.int("decoder_layers", default: 4)
            decoderHeads = try main.int("decoder_attention_heads", default: 6)
            decoderHidden = try main.int("decoder_ffn_dim", default: 1536)
            audioPositions = try main.int("max_source_positions", default: 1500)
            textPositions = try main.int("max_target_positions", default: 448)
            scalesEmbedding = try main.bool("scale_embedding", default: false)
            let heads = try file.generation.intLists("alignment_heads", default: [])
            alignmentHeads = heads.filter { $0.count == 2 }.map { AlignmentHead(layer: $0[0], head: $0[1]) }
            try validate(file: main.file)
            try ModelError.requireActivation(main, key: "activation_function", default: "gelu", supported: ["gelu"])
        }

        /// Reads the shapes of a CTranslate2 checkpoint, whose own `config.json` holds only decoding rules.
        public init(ctranslate2 checkpoint: Checkpoint, rules: ConfigurationObject?) throws {
            func shape(_ name: String, rank: Int) throws -> [Int] {
                let entry = try checkpoint.entry(name)
                guard entry.shape.count == rank else {
                    throw ModelError.unexpectedRank(file: checkpoint.path, tensor: name, rank: rank, shape: entry.shape)
                }
                return entry.shape
            }
            func heads(_ side: String) throws -> Int {
                guard let count = try checkpoint.integers("\(side)/num_heads").first else {
                    throw ModelError.unexpectedRank(file: checkpoint.path, tensor: "\(side)/num_heads", rank: 0, shape: [0])
                }
                return count
            }
            func layers(_ side: String) -> Int {
                var count = 0
                while checkpoint.contains("\(side)/layer_\(count)/ffn/linear_0/weight") { count += 1 }
                return count
            }
            let stem = try shape("encoder/conv1/weight", rank: 3)
            size = stem[0]
            mels = stem[1]
            vocabulary = try shape("decoder/embeddings/weight", rank: 2)[0]
            encoderLayers = layers("encoder")
            decoderLayers = layers("decoder")
            encoderHeads = try heads("encoder")
            decoderHeads = try heads("decoder")
            encoderHidden = try shape("encoder/layer_0/ffn/linear_0/weight", rank: 2)[0]
            decoderHidden = try shape("decoder/layer_0/ffn/linear_0/weight", rank: 2)[0]
            audioPositions = try shape("encoder/position_encodings/encodings", rank: 2)[0]
            textPositions = try shape("decoder/position_encodings/encodings", rank: 2)[0]
            let pairs = try rules?.intLists("alignment_heads", default: []) ?? []
            alignmentHeads = pairs.filter { $0.count == 2 }.map { AlignmentHead(layer: $0[0], head: $0[1]) }
            try validate(file: checkpoint.path)
        }

        private func validate(file: String) throws {
            let limits: [(String, Int, ClosedRange<Int>)] = [
                ("num_mel_bins", mels, 1...1024), ("vocab_size", vocabulary, 1...2_000_000), ("d_model", size, 1...65536),
                ("encoder_layers", encoderLayers, 1...1024), ("decoder_layers", decoderLayers, 1...1024),
                ("encoder_attention_heads", encoderHeads, 1...1024), ("decoder_attention_heads", decoderHeads, 1...1024),
                ("encoder_ffn_dim", encoderHidden, 1...1_000_000), ("decoder_ffn_dim", decoderHidden, 1...1_000_000),
                ("max_source_positions", audioPositions, 1...65536), ("max_target_positions", textPositions, 1...65536),
            ]
            for (key, value, range) in limits where !range.contains(value) {
                throw ModelError.configuration(file: file, key: key, problem: "\(value) is not within \(range.lowerBound)…\(range.upperBound)")
            }
            for (key, heads) in [("encoder_attention_heads", encoderHeads), ("decoder_attention_heads", decoderHeads)]
            where size % heads != 0 {
                throw ModelError.configuration(file: file, key: key, problem: "\(heads) heads do not divide the model size \(size)")
            }
            for head in alignmentHeads where !(0..<decoderLayers).contains(head.layer) || !(0..<decoderHeads).contains(head.head) {
                throw ModelError.configuration(file: file, key: "alignment_heads", problem: "there is no layer \(head.layer), head \(head.head)")
            }
        }
    }
}

// MARK: - Encoder

/// Log-mel spectrogram → audio positions: two convolutions, then layers of self-attention.
private struct Encoder {
    private struct Layer {
        let attentionNorm: LayerNorm
        let attention: Attention
        let feedForwardNorm: LayerNorm
        let feedForward: FeedForward
    }

    private let configuration: Whisper.Configuration
    private let convolution1: (weight: Parameter, bias: Parameter)
    private let convolution2: (weight: Parameter, bias: Parameter)
    private let positions: Parameter
    private let layers: [Layer]
    private let norm: LayerNorm

    private let stem: Slot
    private let normalized: Slot
    private let hidden: Slot
    private let attentionWorkspace: Attention.Workspace
    /// The encoder's output, `[audioPositions, size]`.
    let output: Slot

    init(_ scope: ParameterScope, configuration c: Whisper.Configuration, workspace: Workspace) {
        configuration = c
        convolution1 = (
            scope.convolution("conv1.weight", outputs: c.size, inputs: c.mels, kernel: 3), scope.vector("conv1.bias", count: c.size)
        )
        convolution2 = (
            scope.convolution("conv2.weight", outputs: c.size, inputs: c.size, kernel: 3), scope.vector("conv2.bias", count: c.size)
        )
        positions = scope.table("embed_positions.weight", rows: c.audioPositions, columns: c.size)
        let shape = AttentionShape(heads: c.encoderHeads, headDimension: c.size / c.encoderHeads)
        layers = (0..<c.encoderLayers).map { index in
            let layer = scope("layers.\(index)")
            return Layer(
                attentionNorm: LayerNorm(layer("self_attn_layer_norm"), size: c.size),
                attention: .selfAttention(layer("self_attn"), kind: .encoder, layer: index, size: c.size, shape: shape, names: .whisper),
                feedForwardNorm: LayerNorm(layer("final_layer_norm"), size: c.size),
                feedForward: FeedForward(layer, size: c.size, hidden: c.encoderHidden, activation: .gelu))
        }
        norm = LayerNorm(scope("layer_norm"), size: c.size)

        // One zero row before the first frame and one after the last: the convolutions' padding.
        stem = workspace.reserve("stem", rows: c.frames + 2, columns: c.size, phase: "encoder")
        output = workspace.reserve("audio", rows: c.audioPositions, columns: c.size, phase: "encoder")
        normalized = workspace.reserve("normalised", rows: c.audioPositions, columns: c.size, phase: "encoder")
        hidden = workspace.reserve("hidden", rows: c.audioPositions, columns: c.encoderHidden, phase: "encoder")
        attentionWorkspace = Attention.Workspace(workspace, rows: c.audioPositions, shape: shape, phase: "encoder")
    }

    /// - Parameter features: time-major log-mel with a zero row at either end, `[frames + 2, mels]`.
    func callAsFunction(_ features: Tensor, tap: AttentionTap, on stream: CommandStream) throws {
        let c = configuration
        // A row of three time steps is contiguous in time-major data, so a convolution is a matrix product whose
        // input rows overlap.
        let windows1 = Tensor(
            buffer: features.buffer, byteOffset: features.byteOffset, rows: c.frames, columns: 3 * c.mels, rowStride: c.mels)
        try stream.fill(stem.tensor.rows(0..<1).byteRange, with: 0)
        try stream.fill(stem.tensor.rows(c.frames + 1..<c.frames + 2).byteRange, with: 0)
        try stream.linear(
            windows1, weight: convolution1.weight.matrix, bias: convolution1.bias.tensor, activation: .gelu, residual: nil,
            into: stem.tensor.rows(1..<c.frames + 1))
        let source = stem.tensor
        let windows2 = Tensor(
            buffer: source.buffer, byteOffset: source.byteOffset, rows: c.audioPositions, columns: 3 * c.size, rowStride: 2 * c.size)
        let x = output.tensor
        try stream.linear(
            windows2, weight: convolution2.weight.matrix, bias: convolution2.bias.tensor, activation: .gelu,
            residual: positions.tensor, into: x)
        for layer in layers {
            try layer.attentionNorm(x, into: normalized.tensor, on: stream)
            try layer.attention.encode(normalized.tensor, addingTo: x, workspace: attentionWorkspace, tap: tap, on: stream)
            try layer.feedForwardNorm(x, into: normalized.tensor, on: stream)
            try layer.feedForward(normalized.tensor, hidden: hidden.tensor, addingTo: x, on: stream)
        }
        try norm(x, into: x, on: stream)
    }
}

// MARK: - Decoder

/// Tokens → logits: self-attention over the tokens so far, cross-attention to the audio.
private struct Decoder {
    private struct Layer {
        let selfNorm: LayerNorm
        let selfAttention: Attention
        let crossNorm: LayerNorm
        let crossAttention: Attention
        let feedForwardNorm: LayerNorm
        let feedForward: FeedForward
    }

    private let configuration: Whisper.Configuration
    private let embedding: Parameter
    private let positions: Parameter
    private let layers: [Layer]
    private let norm: LayerNorm

    private let x: Slot
    private let normalized: Slot
    private let hidden: Slot
    private let attentionWorkspace: Attention.Workspace

    init(_ scope: ParameterScope, configuration c: Whisper.Configuration, workspace: Workspace) {
        configuration = c
        embedding = scope.matrix("embed_tokens.weight", outputs: c.vocabulary, inputs: c.size)
        positions = scope.table("embed_positions.weight", rows: c.textPositions, columns: c.size)
        let shape = AttentionShape(heads: c.decoderHeads, headDimension: c.size / c.decoderHeads)
        layers = (0..<c.decoderLayers).map { index in
            let layer = scope("layers.\(index)")
            return Layer(
                selfNorm: LayerNorm(layer("self_attn_layer_norm"), size: c.size),
                selfAttention: .selfAttention(
                    layer("self_attn"), kind: .selfAttention, layer: index, size: c.size, shape: shape, names: .whisper),
                crossNorm: LayerNorm(layer("encoder_attn_layer_norm"), size: c.size),
                crossAttention: .crossAttention(
                    layer("encoder_attn"), layer: index, size: c.size, sourceSize: c.size, shape: shape, names: .whisper),
                feedForwardNorm: LayerNorm(layer("final_layer_norm"), size: c.size),
                feedForward: FeedForward(layer, size: c.size, hidden: c.decoderHidden, activation: .gelu))
        }
        norm = LayerNorm(scope("layer_norm"), size: c.size)
        x = workspace.reserve("tokens", rows: c.textPositions, columns: c.size, phase: "decoder")
        normalized = workspace.reserve("normalised", rows: c.textPositions, columns: c.size, phase: "decoder")
        hidden = workspace.reserve("hidden", rows: c.textPositions, columns: c.decoderHidden, phase: "decoder")
        attentionWorkspace = Attention.Workspace(workspace, rows: c.textPositions, shape: shape, phase: "decoder")
    }

    private var embeddingScale: Float { configuration.scalesEmbedding ? Float(configuration.size).squareRoot() : 1 }

    /// Computes every layer's cross-attention keys and values from the audio.
    func remember(audio: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws {
        for layer in layers { try layer.crossAttention.remember(source: audio, in: cache, on: stream) }
    }

    /// Runs `tokens` at positions from `firstPosition`; the normalised result is left for `project`.
    func prefill(
        _ tokens: Tensor, firstPosition: Int, selfCache: KeyValueCache, crossCache: KeyValueCache, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        let count = tokens.columns
        let x = x.rows(count)
        let normalized = normalized.rows(count)
        try stream.embed(
            tokens: tokens, firstPosition: firstPosition, table: embedding.matrix, scale: embeddingScale, positions: positions.tensor,
            into: x)
        for layer in layers {
            try layer.selfNorm(x, into: normalized, on: stream)
            try layer.selfAttention.prefill(
                normalized, firstPosition: firstPosition, cache: selfCache, addingTo: x, workspace: attentionWorkspace, tap: tap, on: stream)
            try layer.crossNorm(x, into: normalized, on: stream)
            try layer.crossAttention.readSource(
                normalized, sourceCount: configuration.audioPositions, cache: crossCache, addingTo: x, workspace: attentionWorkspace,
                tap: tap, on: stream)
            try layer.feedForwardNorm(x, into: normalized, on: stream)
            try layer.feedForward(normalized, hidden: hidden.rows(count), addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
    }

    /// Runs one token for each hypothesis and writes their logits.
    func decode(
        rows: Int, step: StepBuffer, logits: Tensor, selfCache: KeyValueCache, crossCache: KeyValueCache, tap: AttentionTap,
        on stream: CommandStream
    ) throws {
        let x = x.rows(rows)
        let normalized = normalized.rows(rows)
        try stream.embed(
            step: step, rows: rows, table: embedding.matrix, scale: embeddingScale, positions: positions.tensor, into: x)
        for layer in layers {
            try layer.selfNorm(x, into: normalized, on: stream)
            try layer.selfAttention.decode(
                normalized, step: step, cache: selfCache, addingTo: x, workspace: attentionWorkspace, tap: tap, on: stream)
            try layer.crossNorm(x, into: normalized, on: stream)
            try layer.crossAttention.decodeSource(
                normalized, sourceCount: configuration.audioPositions, step: step, cache: crossCache, addingTo: x,
                workspace: attentionWorkspace, tap: tap, on: stream)
            try layer.feedForwardNorm(x, into: normalized, on: stream)
            try layer.feedForward(normalized, hidden: hidden.rows(rows), addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
        try project(0..<rows, into: logits, on: stream)
    }

    /// Logits of some rows of the last pass: the embedding is also the output projection.
    func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        try stream.linear(
            normalized.tensor.rows(rows), weight: embedding.matrix, bias: nil, activation: .none, residual: nil, into: logits)
    }
}

extension Attention.Names {
    /// Whisper's keys have no bias.
    fileprivate static let whisper = Attention.Names(
        query: "q_proj", key: "k_proj", value: "v_proj", output: "out_proj", withoutBias: ["k_proj"])
}

// MARK: - Model

/// Whisper on a device: encode a window of sound once, then decode tokens that attend to it.
public final class Whisper {
    public let configuration: Configuration
    fileprivate let parameters = ParameterList()
    private let workspace = Workspace()
    private let encoder: Encoder
    private let decoder: Decoder
    private let selfCache: KeyValueCache
    private let crossCache: KeyValueCache
    private var engine: Engine?

    /// What exists only while the model is on a device.
    private struct Engine {
        let device: Device
        let stream: CommandStream
        let stepper: DecodeStepper
        let tap: AttentionTap
        let features: Buffer
    }

    /// Position of the next token.
    public private(set) var position = 0
    /// Hypotheses that decode together.
    public private(set) var hypotheses = 1
    private var memoryRevision = 0

    /// Declares the model; nothing is allocated.
    public init(configuration c: Configuration) {
        configuration = c
        encoder = Encoder(
            ParameterScope(list: parameters, prefix: "model.encoder.", purpose: .weightsEncoder), configuration: c, workspace: workspace)
        decoder = Decoder(
            ParameterScope(list: parameters, prefix: "model.decoder.", purpose: .weightsDecoder), configuration: c, workspace: workspace)
        selfCache = KeyValueCache(purpose: .selfKV, layers: c.decoderLayers, capacity: c.textPositions, width: c.size)
        crossCache = KeyValueCache(purpose: .crossKV, layers: c.decoderLayers, capacity: c.audioPositions, width: c.size)
    }

    /// Gives all weight matrices one format.
    public func assignFormat(_ format: ElementFormat) { parameters.assignFormat(format) }

    /// The device buffers the model takes, in the formats assigned, on a device with or without memory of its own.
    public func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] {
        WeightArenas(parameters).plannedBuffers
            + [workspace.plannedBuffer, selfCache.plannedBuffer, crossCache.plannedBuffer]
            + [PlannedBuffer(purpose: .staging, label: "log-mel", byteCount: featureBytes)]
            + DecodeStepper.plannedBuffers(
                vocabulary: configuration.vocabulary, maximumTokens: configuration.textPositions, unifiedMemory: unifiedMemory)
    }

    private var featureBytes: Int { (configuration.frames + 2) * configuration.mels * 4 }

    /// KV-cache bytes one more token costs.
    public var bytesPerToken: Int { selfCache.bytesPerPosition }

    /// Puts the model on a device.
    public func load(from source: WeightSource, on device: Device, progress: (Int, Int) -> Void = { _, _ in }) throws {
        unload()
        do {
            try WeightLoader(device: device, source: source).load(WeightArenas(parameters), progress: progress)
            try workspace.allocate(on: device)
            try selfCache.allocate(on: device)
            try crossCache.allocate(on: device)
            let stream = try CommandStream(device: device)
            engine = Engine(
                device: device, stream: stream,
                stepper: try DecodeStepper(
                    stream: stream, vocabulary: configuration.vocabulary, maximumTokens: configuration.textPositions),
                tap: AttentionTap(device: device),
                features: try device.makeBuffer(byteCount: featureBytes, purpose: .staging, label: "log-mel", access: .upload))
        } catch {
            unload()
            throw error
        }
    }

    /// Takes the model off its device; all its memory is freed.
    public func unload() {
        engine?.stepper.forgetRecordings()
        engine = nil
        parameters.release()
        workspace.release()
        selfCache.release()
        crossCache.release()
        position = 0
        hypotheses = 1
    }

    private func loaded() throws -> Engine {
        guard let engine else { throw ModelError.notLoaded(model: "Whisper") }
        return engine
    }

    /// The tap on this model's attention, while it is loaded.
    public var tap: AttentionTap? { engine?.tap }

    /// The stream this model's work goes through, while it is loaded.
    public var stream: CommandStream? { engine?.stream }

    // MARK: Forward passes

    /// Encodes one window and computes every layer's cross-attention keys and values from it.
    /// - Parameter logMel: `[mels, frames]`
    public func encode(logMel: [Float]) throws {
        let engine = try loaded()
        let (mels, frames) = (configuration.mels, configuration.frames)
        guard logMel.count == mels * frames else {
            throw TransformerError.inputShape(what: "log-mel features", expected: [mels, frames], actual: [logMel.count / mels, mels])
        }
        // Time-major, behind the zero row that pads the first convolution.
        var timeMajor = [Float](repeating: 0, count: frames * mels)
        timeMajor.withUnsafeMutableBufferPointer { target in
            logMel.withUnsafeBufferPointer { source in
                for mel in 0..<mels {
                    for frame in 0..<frames { target[frame * mels + mel] = source[mel * frames + frame] }
                }
            }
        }
        engine.features.write(timeMajor, at: mels * 4)
        try encoder(Tensor(buffer: engine.features, rows: frames + 2, columns: mels), tap: engine.tap, on: engine.stream)
        try decoder.remember(audio: encoder.output.tensor, in: crossCache, on: engine.stream)
        try engine.stream.finish()
        position = 0
    }

    public func readEncoderOutput() throws -> (shape: [Int], values: [Float]) {
        let engine = try loaded()
        let output = encoder.output.tensor
        let bytes = output.rows * output.columns * 4
        let host = try engine.device.makeBuffer(byteCount: bytes, purpose: .staging, label: "encoder output", access: .readback)
        try engine.stream.copy(from: output.byteRange, to: MemoryRange(buffer: host, offset: 0, byteCount: bytes))
        try engine.stream.finish()
        return ([output.rows, output.columns], host.read(Float.self, count: output.rows * output.columns))
    }

    /// Starts decoding anew with `tokens`, for `hypotheses` that all begin alike.
    /// - Parameter logitRows: rows whose logits are wanted.
    /// - Returns: logits by row, `[vocabulary]` each.
    public func start(tokens: [Int], hypotheses count: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        let engine = try loaded()
        guard tokens.count <= configuration.textPositions else {
            throw TransformerError.contextOverflow(model: "Whisper", positions: tokens.count, limit: configuration.textPositions)
        }
        precondition(count >= 1 && count <= DecodeStepper.maximumRows && !tokens.isEmpty)
        if try selfCache.ensure(hypotheses: count, on: engine.device) {
            engine.stepper.forgetRecordings()
            memoryRevision += 1
        }
        hypotheses = count
        position = 0
        let ids = try engine.stepper.upload(tokens: tokens)
        try decoder.prefill(
            ids, firstPosition: 0, selfCache: selfCache, crossCache: crossCache, tap: engine.tap, on: engine.stream)
        if count > 1 { try selfCache.reorder(parents: Array(repeating: 0, count: count), positions: tokens.count, on: engine.stream) }
        position = tokens.count

        var result: [Int: [Float]] = [:]
        let wanted = logitRows.filter { (0..<tokens.count).contains($0) }.sorted()
        for run in wanted.contiguousRuns(limit: DecodeStepper.maximumRows) {
            try decoder.project(run, into: engine.stepper.logits(rows: run.count), on: engine.stream)
            try engine.stepper.issueReadback(rows: run.count, on: engine.stream)
            try engine.stream.finish()
            for (row, logits) in zip(run, engine.stepper.readLogits(rows: run.count)) { result[row] = logits }
        }
        try engine.stream.finish()
        return result
    }

    /// Continues: hypothesis i takes up where `parents[i]` was, with `tokens[i]`.
    /// - Returns: logits per hypothesis, and the watched attention rows per hypothesis.
    public func advance(tokens: [Int], parents: [Int]?) throws -> (logits: [[Float]], attention: [[AttentionWeights]]) {
        let engine = try loaded()
        guard position < configuration.textPositions else {
            throw TransformerError.contextOverflow(model: "Whisper", positions: position + 1, limit: configuration.textPositions)
        }
        precondition(tokens.count <= hypotheses && !tokens.isEmpty)
        if let parents { try selfCache.reorder(parents: parents, positions: position, on: engine.stream) }
        let c = configuration
        try engine.tap.prepareDecode(
            hypotheses: tokens.count,
            layers: (0..<c.decoderLayers).flatMap { layer in
                [
                    (kind: AttentionKind.selfAttention, layer: layer, heads: c.decoderHeads, keyCapacity: c.textPositions),
                    (kind: AttentionKind.cross, layer: layer, heads: c.decoderHeads, keyCapacity: c.audioPositions),
                ]
            })
        let logits = try engine.stepper.run(ids: tokens, position: position, tap: engine.tap, memoryRevision: memoryRevision) { stream in
            try decoder.decode(
                rows: tokens.count, step: engine.stepper.step, logits: engine.stepper.logits(rows: tokens.count), selfCache: selfCache,
                crossCache: crossCache, tap: engine.tap, on: stream)
        }
        position += 1
        let seen = position
        let attention = engine.tap.collectDecode { $0 == .selfAttention ? seen : c.audioPositions }
        return (logits, attention)
    }
}

// MARK: - Files

extension Whisper: EncoderDecoderModel {
    public var positionsLeft: Int { configuration.textPositions - position }

    public static var modelTypes: [String] { ["whisper", "WhisperSpec"] }

    public static func make(from files: ModelFiles) throws -> Whisper {
        let configuration =
            if files.checkpoint.format == .cTranslate2 {
                try Configuration(ctranslate2: files.checkpoint, rules: files.configuration?.main)
            } else if let file = files.configuration {
                try Configuration(file)
            } else {
                throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
            }
        let model = Whisper(configuration: configuration)
        try weightSource(files, configuration: configuration).assignFormats(to: model.parameters)
        return model
    }

    private static func weightSource(_ files: ModelFiles, configuration: Configuration) -> WeightSource {
        let naming: any CheckpointNaming =
            files.checkpoint.format == .cTranslate2 ? CTranslate2WhisperNaming(size: configuration.size) : HuggingFaceNaming()
        return WeightSource(checkpoint: files.checkpoint, naming: naming)
    }

    public func load(from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void) throws {
        try load(from: Self.weightSource(files, configuration: configuration), on: device, progress: progress)
    }
}

// MARK: - Names in CTranslate2 files

/// Where CTranslate2's Whisper keeps what Hugging Face calls `model.encoder.layers.0.self_attn.q_proj.weight`.
public struct CTranslate2WhisperNaming: CheckpointNaming {
    private let size: Int

    public init(size: Int) { self.size = size }

    private static let norms = [
        "self_attn_layer_norm": "self_attention/layer_norm", "encoder_attn_layer_norm": "attention/layer_norm",
        "final_layer_norm": "ffn/layer_norm", "layer_norm": "layer_norm",
    ]
    private static let feedForward = ["fc1": "ffn/linear_0", "fc2": "ffn/linear_1"]
    private static let selfProjections = ["q_proj": ("linear_0", 0), "k_proj": ("linear_0", 1), "v_proj": ("linear_0", 2), "out_proj": ("linear_1", -1)]
    private static let crossProjections = ["q_proj": ("linear_0", -1), "k_proj": ("linear_1", 0), "v_proj": ("linear_1", 1), "out_proj": ("linear_2", -1)]

    public func candidates(for key: String) -> [StoredSlice] {
        // model.encoder.layers.N.<module>[.<projection>].<weight|bias>
        var path = key.split(separator: ".").map(String.init)
        guard path.count >= 4, path.removeFirst() == "model", let leaf = path.popLast() else { return [] }
        let side = path.removeFirst()
        var prefix = side
        if path.first == "layers", path.count >= 3 {
            prefix += "/layer_\(path[1])"
            path.removeFirst(2)
        }
        let module = path.joined(separator: ".")
        if let norm = Self.norms[module] { return [StoredSlice("\(prefix)/\(norm)/\(leaf == "weight" ? "gamma" : "beta")")] }
        if let linear = Self.feedForward[module] { return [StoredSlice("\(prefix)/\(linear)/\(leaf)")] }
        switch module {
        case "conv1", "conv2": return [StoredSlice("\(prefix)/\(module)/\(leaf)")]
        case "embed_positions": return [StoredSlice("\(prefix)/position_encodings/encodings")]
        case "embed_tokens": return [StoredSlice("\(prefix)/embeddings/weight")]
        default: break
        }
        guard path.count == 2 else { return [] }
        let isCross = path[0] == "encoder_attn"
        guard let (linear, part) = (isCross ? Self.crossProjections : Self.selfProjections)[path[1]] else { return [] }
        let name = "\(prefix)/\(isCross ? "attention" : "self_attention")/\(linear)/\(leaf)"
        return [StoredSlice(name, firstRow: part < 0 ? nil : part * size)]
    }
}
