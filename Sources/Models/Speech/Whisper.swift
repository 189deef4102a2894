import AttentionTypes
import Checkpoint
import Compute
import NumberFormats
import Transformer
import JSON

// Whisper (Radford et al. 2022, "Robust Speech Recognition via Large-Scale Weak Supervision"): an encoder over a
// log-mel spectrogram and a decoder with cross-attention to it. Reference: transformers' modeling_whisper.

// MARK: - Configuration

extension Whisper {
    package struct Configuration: Sendable, Hashable {
        package var mels = 80
        package var vocabulary = 51865
        package var hiddenSize = 384
        package var encoderLayers = 4
        package var encoderHeads = 6
        package var encoderIntermediateSize = 1536
        package var decoderLayers = 4
        package var decoderHeads = 6
        package var decoderIntermediateSize = 1536
        /// Encoder positions, 20 ms each: half the mel frames of a window.
        package var audioPositions = 1500
        package var textPositions = 448
        /// Positions of the decoder that memory is planned for.
        package var contextLength = 448
        package var scalesEmbedding = false
        /// Cross-attention heads that follow the sound in time; empty if the checkpoint names none.
        package var alignmentHeads: [AttentionHead] = []

        /// Mel frames of one window.
        package var frames: Int { audioPositions * 2 }

        package init() {}

        /// Reads a Hugging Face `config.json` (and `generation_config.json`).
        package init(_ file: ModelConfiguration) throws {
            let main = file.main
            mels = try main.int("num_mel_bins", default: 80)
            vocabulary = try main.int("vocab_size", default: 51865)
            hiddenSize = try main.int("d_model", default: 384)
            encoderLayers = try main.int("encoder_layers", default: 4)
            encoderHeads = try main.int("encoder_attention_heads", default: 6)
            encoderIntermediateSize = try main.int("encoder_ffn_dim", default: 1536)
            decoderLayers = try main.int("decoder_layers", default: 4)
            decoderHeads = try main.int("decoder_attention_heads", default: 6)
            decoderIntermediateSize = try main.int("decoder_ffn_dim", default: 1536)
            audioPositions = try main.int("max_source_positions", default: 1500)
            textPositions = try main.int("max_target_positions", default: 448)
            scalesEmbedding = try main.bool("scale_embedding", default: false)
            alignmentHeads = try Self.alignmentHeads(file.generation)
            contextLength = textPositions
            try validate(file: main.file)
            try ModelError.requireActivation(main, key: "activation_function", default: "gelu", supported: ["gelu"])
        }

        /// Reads the shapes of a CTranslate2 checkpoint, whose own `config.json` holds only decoding rules.
        package init(ctranslate2 checkpoint: Checkpoint, rules: JSONReader?) throws {
            func shape(_ name: String, rank: Int) throws -> [Int] {
                let entry = try checkpoint.entry(name)
                guard entry.shape.count == rank else {
                    throw ModelError.unexpectedRank(file: checkpoint.path, tensor: name, rank: rank, shape: entry.shape)
                }
                return entry.shape
            }
            func heads(_ side: String) throws -> Int {
                guard let count = try checkpoint.integers("\(side)/num_heads").first else {
                    throw ModelError.unexpectedRank(
                        file: checkpoint.path, tensor: "\(side)/num_heads", rank: 0, shape: [0])
                }
                return count
            }
            func layers(_ side: String) -> Int {
                var count = 0
                while checkpoint.contains("\(side)/layer_\(count)/ffn/linear_0/weight") { count += 1 }
                return count
            }
            let stem = try shape("encoder/conv1/weight", rank: 3)
            hiddenSize = stem[0]
            mels = stem[1]
            vocabulary = try shape("decoder/embeddings/weight", rank: 2)[0]
            encoderLayers = layers("encoder")
            decoderLayers = layers("decoder")
            encoderHeads = try heads("encoder")
            decoderHeads = try heads("decoder")
            encoderIntermediateSize = try shape("encoder/layer_0/ffn/linear_0/weight", rank: 2)[0]
            decoderIntermediateSize = try shape("decoder/layer_0/ffn/linear_0/weight", rank: 2)[0]
            audioPositions = try shape("encoder/position_encodings/encodings", rank: 2)[0]
            textPositions = try shape("decoder/position_encodings/encodings", rank: 2)[0]
            alignmentHeads = try rules.map(Self.alignmentHeads) ?? []
            contextLength = textPositions
            try validate(file: checkpoint.path)
        }

        private static func alignmentHeads(_ file: JSONReader) throws -> [AttentionHead] {
            try file.intLists("alignment_heads", default: []).filter { $0.count == 2 }.map {
                AttentionHead(kind: .cross, layer: $0[0], head: $0[1])
            }
        }

        func validate(file: String) throws {
            try ModelError.requireRange(
                file,
                [
                    ("num_mel_bins", mels, .from(1, to: 1024)), ("vocab_size", vocabulary, .from(1, to: 2_000_000)),
                    ("d_model", hiddenSize, .from(1, to: 65536)),
                    ("encoder_layers", encoderLayers, .from(1, to: 1024)),
                    ("decoder_layers", decoderLayers, .from(1, to: 1024)),
                    ("encoder_attention_heads", encoderHeads, .from(1, to: 1024)),
                    ("decoder_attention_heads", decoderHeads, .from(1, to: 1024)),
                    ("encoder_ffn_dim", encoderIntermediateSize, .from(1, to: 1_000_000)),
                    ("decoder_ffn_dim", decoderIntermediateSize, .from(1, to: 1_000_000)),
                    ("max_source_positions", audioPositions, .from(1, to: 65536)),
                    ("max_target_positions", textPositions, .from(1, to: 65536)),
                ])
            for (key, heads) in [("encoder_attention_heads", encoderHeads), ("decoder_attention_heads", decoderHeads)]
            where hiddenSize % heads != 0 {
                throw ModelError.configuration(
                    file: file, key: key, problem: "\(heads) heads do not divide the model size \(hiddenSize)")
            }
            for head in alignmentHeads
            where !(0..<decoderLayers).contains(head.layer) || !(0..<decoderHeads).contains(head.head) {
                throw ModelError.configuration(
                    file: file, key: "alignment_heads", problem: "there is no layer \(head.layer), head \(head.head)")
            }
        }
    }
}

// MARK: - Blocks

extension Attention.Names {
    /// Whisper's keys have no bias.
    fileprivate static let whisper = Attention.Names(optionalBiases: ["k_proj"])
}

extension Whisper.Configuration {
    fileprivate func norm(_ scope: ParameterScope) -> LayerNorm { LayerNorm(scope, size: hiddenSize) }

    /// A block of the encoder (`kind` is `.encoder`) or the decoder, which has cross-attention.
    fileprivate func block(_ index: Int, _ scope: ParameterScope, kind: AttentionKind) -> TransformerBlock {
        let isEncoder = kind == .encoder
        let heads = isEncoder ? encoderHeads : decoderHeads
        let shape = AttentionShape(heads: heads, headDimension: hiddenSize / heads)
        return TransformerBlock(
            selfAttention: .init(
                .selfAttention(
                    scope("self_attn"), kind: kind, layer: index, hiddenSize: hiddenSize, shape: shape,
                    names: .whisper),
                norms: .pre(norm(scope("self_attn_layer_norm")))),
            crossAttention: isEncoder
                ? nil
                : .init(
                    .crossAttention(
                        scope("encoder_attn"), layer: index, hiddenSize: hiddenSize, sourceSize: hiddenSize,
                        shape: shape, names: .whisper),
                    norms: .pre(norm(scope("encoder_attn_layer_norm")))),
            feedForward: .init(
                FeedForward(
                    scope, hiddenSize: hiddenSize,
                    intermediateSize: isEncoder ? encoderIntermediateSize : decoderIntermediateSize,
                    activation: .gelu),
                norms: .pre(norm(scope("final_layer_norm")))))
    }
}

// MARK: - Encoder

/// Log-mel spectrogram → audio positions: two convolutions, then a bidirectional stack.
private struct AudioEncoder {
    private let configuration: Whisper.Configuration
    private let convolution1: Linear
    private let convolution2: Linear
    private let positions: Parameter
    private let stack: Encoder
    private let stem: Slot

    init(_ scope: ParameterScope, configuration c: Whisper.Configuration, workspace: Workspace) {
        configuration = c
        convolution1 = Linear(
            weight: scope.convolution("conv1.weight", outputs: c.hiddenSize, inputs: c.mels, kernel: 3),
            bias: scope.vector("conv1.bias", count: c.hiddenSize))
        convolution2 = Linear(
            weight: scope.convolution("conv2.weight", outputs: c.hiddenSize, inputs: c.hiddenSize, kernel: 3),
            bias: scope.vector("conv2.bias", count: c.hiddenSize))
        positions = scope.table("embed_positions.weight", rows: c.audioPositions, columns: c.hiddenSize)
        stack = Encoder(
            blocks: (0..<c.encoderLayers).map { c.block($0, scope("layers.\($0)"), kind: .encoder) },
            finalNorm: c.norm(scope("layer_norm")), hiddenSize: c.hiddenSize, rows: c.audioPositions,
            workspace: workspace, phase: "encoder")
        // One zero row before the first frame and one after the last: the convolutions' padding.
        stem = workspace.reserve("stem", rows: c.frames + 2, columns: c.hiddenSize, phase: "encoder")
    }

    /// - Parameter features: time-major log-mel with a zero row at either end, `[frames + 2, mels]`.
    /// - Returns: `[audioPositions, hiddenSize]`.
    func callAsFunction(
        _ features: Tensor, tap: AttentionTap, observe: HiddenStateObserver?, on stream: CommandStream
    ) throws -> Tensor {
        let c = configuration
        // A row of three time steps is contiguous in time-major data, so a convolution is a matrix product whose
        // input rows overlap.
        let windows1 = Tensor(
            buffer: features.buffer, byteOffset: features.byteOffset, rows: c.frames, columns: 3 * c.mels,
            rowStride: c.mels)
        try stream.fill(stem.tensor.rows(0..<1).byteRange, with: 0)
        try stream.fill(stem.tensor.rows(c.frames + 1..<c.frames + 2).byteRange, with: 0)
        try convolution1(windows1, activation: .gelu, into: stem.tensor.rows(1..<c.frames + 1), on: stream)
        let source = stem.tensor
        let windows2 = Tensor(
            buffer: source.buffer, byteOffset: source.byteOffset, rows: c.audioPositions, columns: 3 * c.hiddenSize,
            rowStride: 2 * c.hiddenSize)
        let x = stack.states(c.audioPositions)
        try convolution2(windows2, activation: .gelu, residual: positions.tensor, into: x, on: stream)
        try stack.run(x, tap: tap, observe: observe, on: stream)
        try stack.normalize(x, on: stream)
        try observe?(c.encoderLayers, x)
        return x
    }
}

// MARK: - Model

/// Whisper on a device: encode a window of sound once, then decode tokens that attend to it.
package final class Whisper: SoundReader {
    package let configuration: Configuration
    package let decoder: Decoder
    private let encoder: AudioEncoder
    private let features: InputBuffer

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        encoder = AudioEncoder(
            ParameterScope(list: parameters, prefix: "model.encoder.", purpose: .weightsEncoder), configuration: c,
            workspace: workspace)
        features = InputBuffer(label: "log-mel", byteCount: (c.frames + 2) * c.mels * 4)
        let scope = ParameterScope(list: parameters, prefix: "model.decoder.", purpose: .weightsDecoder)
        let table = scope.matrix("embed_tokens.weight", outputs: c.vocabulary, inputs: c.hiddenSize)
        let positions = scope.table("embed_positions.weight", rows: c.textPositions, columns: c.hiddenSize)
        decoder = Decoder(
            .init(
                name: "Whisper", hiddenSize: c.hiddenSize, vocabularySize: c.vocabulary,
                contextLength: c.contextLength,
                embedding: TokenEmbedding(
                    table, scale: c.scalesEmbedding ? Float(c.hiddenSize).squareRoot() : 1,
                    positions: PositionTable(positions)),
                blocks: (0..<c.decoderLayers).map { c.block($0, scope("layers.\($0)"), kind: .selfAttention) },
                finalNorm: c.norm(scope("layer_norm")), output: OutputProjection(table),
                source: .init(capacity: c.audioPositions)),
            parameters: parameters, workspace: workspace, resources: [features])
    }

    package var soundReader: (any SoundReader)? { self }
    package var capabilities: ModelCapabilities { .init(inputs: [.sound], watchedAttention: .cross) }
    package var encoderLayers: Int { configuration.encoderLayers }
    package var soundGeometry: SoundGeometry {
        SoundGeometry(
            mels: configuration.mels, frames: configuration.frames, positions: configuration.audioPositions,
            alignmentHeads: configuration.alignmentHeads)
    }

    /// Encodes one window and caches every block's cross-attention keys and values.
    /// - Parameter logMel: `[mels, frames]`
    package func encode(logMel: [Float]) throws {
        _ = try decoder.loaded()
        let (mels, frames) = (configuration.mels, configuration.frames)
        guard logMel.count == mels * frames else {
            throw TransformerError.inputShape(
                what: "log-mel features", expected: [mels, frames], actual: [logMel.count / mels, mels])
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
        features.buffer.write(timeMajor, at: mels * 4)
        try decoder.encode { engine, observe in
            let input = Tensor(buffer: features.buffer, rows: frames + 2, columns: mels)
            return (try encoder(input, tap: engine.tap, observe: observe, on: engine.stream), nil, nil)
        }
    }

    package func encodeSample(of files: ModelFiles) throws -> [Int] {
        try encode(logMel: [Float](repeating: 0, count: configuration.mels * configuration.frames))
        return []
    }
}

// MARK: - Files

extension Whisper {
    package static var modelTypes: [String] { ["whisper", "WhisperSpec"] }

    package static func make(from files: ModelFiles) throws -> Whisper {
        var configuration =
            if let header = files.checkpoint.whisper {
                try Configuration(header, checkpoint: files.checkpoint)
            } else if files.checkpoint.format == .cTranslate2 {
                try Configuration(ctranslate2: files.checkpoint, rules: files.configuration?.main)
            } else if let file = files.configuration {
                try Configuration(file)
            } else {
                throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
            }
        if let length = files.options.contextLength {
            configuration.contextLength = max(1, min(length, configuration.textPositions))
        }
        let model = Whisper(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }

    package func weightSource(of files: ModelFiles) -> WeightSource {
        let naming: any CheckpointNaming =
            if files.checkpoint.whisper != nil {
                OpenAIWhisperNaming()
            } else if files.checkpoint.format == .cTranslate2 {
                CTranslate2WhisperNaming(hiddenSize: configuration.hiddenSize)
            } else {
                HuggingFaceNaming()
            }
        return WeightSource(checkpoint: files.checkpoint, naming: naming)
    }
}

// MARK: - Names in CTranslate2 files

/// Names in CTranslate2's Whisper files for Hugging Face's `model.encoder.layers.0.self_attn.q_proj.weight`.
package struct CTranslate2WhisperNaming: CheckpointNaming {
    private let hiddenSize: Int

    package init(hiddenSize: Int) { self.hiddenSize = hiddenSize }

    private static let norms = [
        "self_attn_layer_norm": "self_attention/layer_norm", "encoder_attn_layer_norm": "attention/layer_norm",
        "final_layer_norm": "ffn/layer_norm", "layer_norm": "layer_norm",
    ]
    private static let feedForward = ["fc1": "ffn/linear_0", "fc2": "ffn/linear_1"]
    private static let selfProjections = [
        "q_proj": ("linear_0", 0), "k_proj": ("linear_0", 1), "v_proj": ("linear_0", 2), "out_proj": ("linear_1", -1),
    ]
    private static let crossProjections = [
        "q_proj": ("linear_0", -1), "k_proj": ("linear_1", 0), "v_proj": ("linear_1", 1), "out_proj": ("linear_2", -1),
    ]

    package func candidates(for key: String) -> [StoredSlice] {
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
        if let norm = Self.norms[module] {
            return [StoredSlice("\(prefix)/\(norm)/\(leaf == "weight" ? "gamma" : "beta")")]
        }
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
        return [StoredSlice(name, firstRow: part < 0 ? nil : part * hiddenSize)]
    }
}
