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
        package var size = 384
        package var encoderLayers = 4
        package var encoderHeads = 6
        package var encoderHidden = 1536
        package var decoderLayers = 4
        package var decoderHeads = 6
        package var decoderHidden = 1536
        /// Encoder positions, 20 ms each: half the mel frames of a window.
        package var audioPositions = 1500
        package var textPositions = 448
        package var scalesEmbedding = false
        /// Decoder heads that follow the sound in time, as (layer, head); empty where the checkpoint names none.
        package var alignmentHeads: [AlignmentHead] = []

        package struct AlignmentHead: Sendable, Hashable {
            package let layer: Int
            package let head: Int
        }

        /// Mel frames of one window.
        package var frames: Int { audioPositions * 2 }

        package init() {}

        /// Reads a Hugging Face `config.json` (and `generation_config.json`).
        package init(_ file: ModelConfiguration) throws {
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
                ("num_mel_bins", mels, 1...1024), ("vocab_size", vocabulary, 1...2_000_000),
                ("d_model", size, 1...65536),
                ("encoder_layers", encoderLayers, 1...1024), ("decoder_layers", decoderLayers, 1...1024),
                ("encoder_attention_heads", encoderHeads, 1...1024),
                ("decoder_attention_heads", decoderHeads, 1...1024),
                ("encoder_ffn_dim", encoderHidden, 1...1_000_000), ("decoder_ffn_dim", decoderHidden, 1...1_000_000),
                ("max_source_positions", audioPositions, 1...65536), ("max_target_positions", textPositions, 1...65536),
            ]
            for (key, value, range) in limits where !range.contains(value) {
                throw ModelError.configuration(
                    file: file, key: key, problem: "\(value) is not within \(range.lowerBound)…\(range.upperBound)")
            }
            for (key, heads) in [("encoder_attention_heads", encoderHeads), ("decoder_attention_heads", decoderHeads)]
            where size % heads != 0 {
                throw ModelError.configuration(
                    file: file, key: key, problem: "\(heads) heads do not divide the model size \(size)")
            }
            for head in alignmentHeads
            where !(0..<decoderLayers).contains(head.layer) || !(0..<decoderHeads).contains(head.head) {
                throw ModelError.configuration(
                    file: file, key: "alignment_heads", problem: "there is no layer \(head.layer), head \(head.head)")
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
            scope.convolution("conv1.weight", outputs: c.size, inputs: c.mels, kernel: 3),
            scope.vector("conv1.bias", count: c.size)
        )
        convolution2 = (
            scope.convolution("conv2.weight", outputs: c.size, inputs: c.size, kernel: 3),
            scope.vector("conv2.bias", count: c.size)
        )
        positions = scope.table("embed_positions.weight", rows: c.audioPositions, columns: c.size)
        let shape = AttentionShape(heads: c.encoderHeads, headDimension: c.size / c.encoderHeads)
        layers = (0..<c.encoderLayers).map { index in
            let layer = scope("layers.\(index)")
            return Layer(
                attentionNorm: LayerNorm(layer("self_attn_layer_norm"), size: c.size),
                attention: .selfAttention(
                    layer("self_attn"), kind: .encoder, layer: index, size: c.size, shape: shape, names: .whisper),
                feedForwardNorm: LayerNorm(layer("final_layer_norm"), size: c.size),
                feedForward: FeedForward(layer, size: c.size, hidden: c.encoderHidden, activation: .gelu))
        }
        norm = LayerNorm(scope("layer_norm"), size: c.size)

        // One zero row before the first frame and one after the last: the convolutions' padding.
        stem = workspace.reserve("stem", rows: c.frames + 2, columns: c.size, phase: "encoder")
        output = workspace.reserve("audio", rows: c.audioPositions, columns: c.size, phase: "encoder")
        normalized = workspace.reserve("normalized", rows: c.audioPositions, columns: c.size, phase: "encoder")
        hidden = workspace.reserve("hidden", rows: c.audioPositions, columns: c.encoderHidden, phase: "encoder")
        attentionWorkspace = Attention.Workspace(workspace, rows: c.audioPositions, shape: shape, phase: "encoder")
    }

    /// - Parameter features: time-major log-mel with a zero row at either end, `[frames + 2, mels]`.
    func callAsFunction(_ features: Tensor, tap: AttentionTap, on stream: CommandStream) throws {
        let c = configuration
        // A row of three time steps is contiguous in time-major data, so a convolution is a matrix product whose
        // input rows overlap.
        let windows1 = Tensor(
            buffer: features.buffer, byteOffset: features.byteOffset, rows: c.frames, columns: 3 * c.mels,
            rowStride: c.mels)
        try stream.fill(stem.tensor.rows(0..<1).byteRange, with: 0)
        try stream.fill(stem.tensor.rows(c.frames + 1..<c.frames + 2).byteRange, with: 0)
        try stream.linear(
            windows1, weight: convolution1.weight.matrix, bias: convolution1.bias.tensor, activation: .gelu,
            residual: nil,
            into: stem.tensor.rows(1..<c.frames + 1))
        let source = stem.tensor
        let windows2 = Tensor(
            buffer: source.buffer, byteOffset: source.byteOffset, rows: c.audioPositions, columns: 3 * c.size,
            rowStride: 2 * c.size)
        let x = output.tensor
        try stream.linear(
            windows2, weight: convolution2.weight.matrix, bias: convolution2.bias.tensor, activation: .gelu,
            residual: positions.tensor, into: x)
        for layer in layers {
            try layer.attentionNorm(x, into: normalized.tensor, on: stream)
            try layer.attention.encode(
                normalized.tensor, addingTo: x, workspace: attentionWorkspace, tap: tap, on: stream)
            try layer.feedForwardNorm(x, into: normalized.tensor, on: stream)
            try layer.feedForward(normalized.tensor, hidden: hidden.tensor, addingTo: x, on: stream)
        }
        try norm(x, into: x, on: stream)
    }
}

// MARK: - Decoder

/// Tokens → logits: self-attention over the tokens so far, cross-attention to the audio.
private struct Decoder: CrossDecoder {
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
                    layer("encoder_attn"), layer: index, size: c.size, sourceSize: c.size, shape: shape, names: .whisper
                ),
                feedForwardNorm: LayerNorm(layer("final_layer_norm"), size: c.size),
                feedForward: FeedForward(layer, size: c.size, hidden: c.decoderHidden, activation: .gelu))
        }
        norm = LayerNorm(scope("layer_norm"), size: c.size)
        x = workspace.reserve("tokens", rows: c.textPositions, columns: c.size, phase: "decoder")
        normalized = workspace.reserve("normalized", rows: c.textPositions, columns: c.size, phase: "decoder")
        hidden = workspace.reserve("hidden", rows: c.textPositions, columns: c.decoderHidden, phase: "decoder")
        attentionWorkspace = Attention.Workspace(workspace, rows: c.textPositions, shape: shape, phase: "decoder")
    }

    private var embeddingScale: Float { configuration.scalesEmbedding ? Float(configuration.size).squareRoot() : 1 }

    func remember(source: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws {
        for layer in layers { try layer.crossAttention.remember(source: source, in: cache, on: stream) }
    }

    func prefill(_ tokens: Tensor, firstPosition: Int, _ pass: CrossDecoderPass) throws {
        let (count, stream, tap) = (tokens.columns, pass.stream, pass.tap)
        let x = x.rows(count)
        let normalized = normalized.rows(count)
        try stream.embed(
            tokens: tokens, firstPosition: firstPosition, table: embedding.matrix, scale: embeddingScale,
            positions: positions.tensor,
            into: x)
        for layer in layers {
            try layer.selfNorm(x, into: normalized, on: stream)
            try layer.selfAttention.prefill(
                normalized, firstPosition: firstPosition, cache: pass.selfCache, addingTo: x,
                workspace: attentionWorkspace, tap: tap,
                on: stream)
            try layer.crossNorm(x, into: normalized, on: stream)
            try layer.crossAttention.readSource(
                normalized, sourceCount: pass.sourceCount, cache: pass.crossCache, addingTo: x,
                workspace: attentionWorkspace, tap: tap,
                on: stream)
            try layer.feedForwardNorm(x, into: normalized, on: stream)
            try layer.feedForward(normalized, hidden: hidden.rows(count), addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
    }

    func decode(rows: Int, step: StepBuffer, _ pass: CrossDecoderPass) throws {
        let (stream, tap) = (pass.stream, pass.tap)
        let x = x.rows(rows)
        let normalized = normalized.rows(rows)
        try stream.embed(
            step: step, rows: rows, table: embedding.matrix, scale: embeddingScale, positions: positions.tensor, into: x
        )
        for layer in layers {
            try layer.selfAttention.decode(
                NormalizedInput(x, norm: layer.selfNorm, scratch: normalized), step: step, cache: pass.selfCache,
                addingTo: x, workspace: attentionWorkspace, tap: tap, on: stream)
            try layer.crossAttention.decodeSource(
                NormalizedInput(x, norm: layer.crossNorm, scratch: normalized), sourceCount: pass.sourceCount,
                step: step, cache: pass.crossCache, addingTo: x,
                workspace: attentionWorkspace, tap: tap, on: stream)
            try layer.feedForward(
                NormalizedInput(x, norm: layer.feedForwardNorm, scratch: normalized), hidden: hidden.rows(rows),
                addingTo: x, on: stream)
        }
        try norm(x, into: normalized, on: stream)
    }

    /// Logits of some rows of the last pass: the embedding is also the output projection.
    func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        try stream.linear(
            normalized.tensor.rows(rows), weight: embedding.matrix, bias: nil, activation: .none, residual: nil,
            into: logits)
    }
}

extension Attention.Names {
    /// Whisper's keys have no bias.
    fileprivate static let whisper = Attention.Names(
        query: "q_proj", key: "k_proj", value: "v_proj", output: "out_proj", withoutBias: ["k_proj"])
}

// MARK: - Model

/// Whisper on a device: encode a window of sound once, then decode tokens that attend to it.
package final class Whisper {
    package let configuration: Configuration
    package let runner: EncoderDecoderRunner
    private let encoder: Encoder
    private let features: InputBuffer

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let parameters = ParameterList()
        let workspace = Workspace()
        encoder = Encoder(
            ParameterScope(list: parameters, prefix: "model.encoder.", purpose: .weightsEncoder), configuration: c,
            workspace: workspace)
        let decoder = Decoder(
            ParameterScope(list: parameters, prefix: "model.decoder.", purpose: .weightsDecoder), configuration: c,
            workspace: workspace)
        features = InputBuffer(label: "log-mel", byteCount: (c.frames + 2) * c.mels * 4)
        runner = EncoderDecoderRunner(
            shape: .init(
                name: "Whisper", vocabulary: c.vocabulary, decoderLayers: c.decoderLayers, decoderHeads: c.decoderHeads,
                keyValueWidth: c.size, sourcePositions: c.audioPositions, positions: c.textPositions),
            parameters: parameters, workspace: workspace, decoder: decoder, resources: [features])
    }

    /// Encodes one window and computes every layer's cross-attention keys and values from it.
    /// - Parameter logMel: `[mels, frames]`
    package func encode(logMel: [Float]) throws {
        _ = try runner.loaded()
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
        try runner.encode { engine, _ in
            try encoder(
                Tensor(buffer: features.buffer, rows: frames + 2, columns: mels), tap: engine.tap, on: engine.stream)
            return encoder.output.tensor
        }
    }
}

// MARK: - Files

extension Whisper: EncoderDecoderModel, SoundReader {
    package var soundReader: (any SoundReader)? { self }
    package var capabilities: ModelCapabilities { .init(inputs: [.sound], watchedAttention: .cross) }
    package var encoderLayers: Int { configuration.encoderLayers }
    package var soundGeometry: SoundGeometry {
        SoundGeometry(
            mels: configuration.mels, frames: configuration.frames, positions: configuration.audioPositions,
            alignmentHeads: configuration.alignmentHeads.map {
                AttentionHead(kind: .cross, layer: $0.layer, head: $0.head)
            })
    }

    package func trace(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        guard case .logMel(let values) = input else { throw ModelError.nothingEncoded(model: family) }
        try trace(start: prompt, options: options, encode: { try encode(logMel: values) }, emit: emit)
    }

    package func encodeSample() throws {
        try encode(logMel: [Float](repeating: 0, count: configuration.mels * configuration.frames))
    }

    package static var modelTypes: [String] { ["whisper", "WhisperSpec"] }

    package static func make(from files: ModelFiles) throws -> Whisper {
        let configuration =
            if files.checkpoint.format == .cTranslate2 {
                try Configuration(ctranslate2: files.checkpoint, rules: files.configuration?.main)
            } else if let file = files.configuration {
                try Configuration(file)
            } else {
                throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
            }
        let model = Whisper(configuration: configuration)
        try model.weightSource(files).assignFormats(to: model.runner.parameters)
        return model
    }

    package func weightSource(_ files: ModelFiles) -> WeightSource {
        let naming: any CheckpointNaming =
            files.checkpoint.format == .cTranslate2
            ? CTranslate2WhisperNaming(size: configuration.size) : HuggingFaceNaming()
        return WeightSource(checkpoint: files.checkpoint, naming: naming)
    }
}

// MARK: - Names in CTranslate2 files

/// Where CTranslate2's Whisper keeps what Hugging Face calls `model.encoder.layers.0.self_attn.q_proj.weight`.
package struct CTranslate2WhisperNaming: CheckpointNaming {
    private let size: Int

    package init(size: Int) { self.size = size }

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
        return [StoredSlice(name, firstRow: part < 0 ? nil : part * size)]
    }
}
