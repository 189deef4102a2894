import AttentionTypes
import Checkpoint
import Compute
import JSON
import Transformer

// Moonshine (Jeffries et al. 2024, "Moonshine: Speech Recognition for Live Transcription and Voice Commands"): an encoder
// over the waveform itself, by three convolutions, and a decoder with cross-attention to it; rotary positions in both, no
// padding to a fixed window. Reference: transformers' modeling_moonshine.

// MARK: - Configuration

extension Moonshine {
    package struct Configuration: Sendable, Hashable {
        /// Sizes of the encoder or the decoder.
        package struct Stack: Sendable, Hashable {
            package var layers: Int
            package var heads: Int
            package var keyValueHeads: Int
            package var activation: Activation
        }

        package var vocabulary: Int
        package var hiddenSize: Int
        package var intermediateSize: Int
        package var encoder: Stack
        package var decoder: Stack
        /// Positions of the decoder.
        package var positions: Int
        /// Positions of the decoder that memory is planned for.
        package var contextLength: Int
        /// Share of each head that rotary positions turn.
        package var rotaryShare: Double
        package var theta: Double
        package var attentionHasBias: Bool
        /// The embedding is also the output projection.
        package var isTied: Bool
        package var startToken: Int
        package var endTokens: Set<Int>

        /// Reads a Hugging Face `config.json` (and `generation_config.json`).
        package init(_ file: ModelConfiguration) throws {
            let main = file.main
            func stack(_ side: String, activation: String) throws -> Stack {
                let heads = try main.int("\(side)_num_attention_heads", default: 8)
                return Stack(
                    layers: try main.int("\(side)_num_hidden_layers", default: 6), heads: heads,
                    keyValueHeads: try main.int("\(side)_num_key_value_heads", default: heads),
                    activation: try Activation(named: "\(side)_hidden_act", in: main, default: activation))
            }
            vocabulary = try main.int("vocab_size", default: 32768)
            hiddenSize = try main.int("hidden_size", default: 288)
            intermediateSize = try main.int("intermediate_size", default: 1152)
            encoder = try stack("encoder", activation: "gelu")
            decoder = try stack("decoder", activation: "silu")
            positions = try main.int("max_position_embeddings", default: 512)
            contextLength = positions
            let rotary = try main.rotary()
            guard rotary.type == "default" else {
                throw ModelError.configuration(
                    file: main.file, key: "rope_scaling",
                    problem: "the scaling “\(rotary.type)” of rotary positions is not supported (supported: default)")
            }
            theta = rotary.theta
            rotaryShare = try rotary.parameters.rotaryShare() ?? main.rotaryShare() ?? 0.9
            attentionHasBias = try main.bool("attention_bias", default: false)
            isTied = try main.bool("tie_word_embeddings", default: true)
            startToken = try main.int(
                "decoder_start_token_id", default: file.generation.int("decoder_start_token_id", default: 1))
            endTokens = Set(try file.generation.ints("eos_token_id", default: main.ints("eos_token_id", default: [2])))
            try validate(file: main.file)
        }

        private func validate(file: String) throws {
            try ModelError.requireRange(
                file,
                [
                    ("vocab_size", vocabulary, .from(1, to: 2_000_000)),
                    ("hidden_size", hiddenSize, .from(1, to: 65536)),
                    ("intermediate_size", intermediateSize, .from(1, to: 1_000_000)),
                    ("max_position_embeddings", positions, .from(1, to: 65535)),
                    ("decoder_start_token_id", startToken, .from(0, to: vocabulary - 1)),
                ])
            for (side, stack) in [("encoder", encoder), ("decoder", decoder)] {
                let key = "\(side)_num_attention_heads"
                try ModelError.requireRange(
                    file,
                    [
                        ("\(side)_num_hidden_layers", stack.layers, .from(1, to: 1024)),
                        (key, stack.heads, .from(1, to: 1024)),
                        ("\(side)_num_key_value_heads", stack.keyValueHeads, .from(1, to: stack.heads)),
                    ])
                guard hiddenSize % stack.heads == 0, hiddenSize / stack.heads <= AttentionSelection.largestHead,
                    stack.heads % stack.keyValueHeads == 0
                else {
                    throw ModelError.configuration(
                        file: file, key: key,
                        problem:
                            "\(stack.heads) heads (\(stack.keyValueHeads) of keys) do not divide the model size \(hiddenSize) into heads of at most \(AttentionSelection.largestHead)"
                    )
                }
                guard theta.isFinite, theta > 0, rotarySize(stack) >= 2 else {
                    throw ModelError.configuration(
                        file: file, key: "partial_rotary_factor",
                        problem: "\(rotaryShare) of \(hiddenSize / stack.heads) elements of a head cannot be turned")
                }
            }
        }

        /// Elements of a head that are turned; pairs, so an even number.
        fileprivate func rotarySize(_ stack: Stack) -> Int {
            (Int(Double(hiddenSize / stack.heads) * rotaryShare) + 1) / 2 * 2
        }
    }
}

// MARK: - Blocks

extension Attention.Names {
    fileprivate static func moonshine(hasBias: Bool) -> Attention.Names {
        .init(output: "o_proj", inputsHaveBias: hasBias, outputHasBias: false)
    }
}

extension Moonshine.Configuration {
    func norm(_ scope: ParameterScope) -> LayerNorm { LayerNorm(scope, size: hiddenSize, hasBias: false) }

    fileprivate func shape(_ stack: Stack) -> AttentionShape {
        AttentionShape(
            heads: stack.heads, keyValueHeads: stack.keyValueHeads, headDimension: hiddenSize / stack.heads)
    }

    func rotary(_ stack: Stack, positions: Int, purpose: MemoryPurpose) -> RotaryPositions {
        RotaryPositions(
            shape: RotaryShape(
                headDimension: hiddenSize / stack.heads, rotaryDimension: rotarySize(stack), isInterleaved: true),
            positions: positions, theta: theta, purpose: purpose)
    }

    private func selfAttention(
        _ index: Int, _ scope: ParameterScope, kind: AttentionKind, stack: Stack, rotary: RotaryPositions
    ) -> TransformerBlock.Part<Attention> {
        .init(
            .selfAttention(
                scope("self_attn"), kind: kind, layer: index, hiddenSize: hiddenSize, shape: shape(stack),
                names: .moonshine(hasBias: attentionHasBias), options: .init(rotary: rotary)),
            norms: .pre(norm(scope("input_layernorm"))))
    }

    func encoderBlock(_ index: Int, _ scope: ParameterScope, rotary: RotaryPositions) -> TransformerBlock {
        TransformerBlock(
            selfAttention: selfAttention(index, scope, kind: .encoder, stack: encoder, rotary: rotary),
            feedForward: .init(
                FeedForward(
                    scope("mlp"), hiddenSize: hiddenSize, intermediateSize: intermediateSize,
                    activation: encoder.activation),
                norms: .pre(norm(scope("post_attention_layernorm")))))
    }

    fileprivate func decoderBlock(_ index: Int, _ scope: ParameterScope, rotary: RotaryPositions) -> TransformerBlock {
        TransformerBlock(
            selfAttention: selfAttention(index, scope, kind: .selfAttention, stack: decoder, rotary: rotary),
            crossAttention: .init(
                .crossAttention(
                    scope("encoder_attn"), layer: index, hiddenSize: hiddenSize, sourceSize: hiddenSize,
                    shape: shape(decoder), names: .moonshine(hasBias: attentionHasBias)),
                norms: .pre(norm(scope("post_attention_layernorm")))),
            feedForward: .init(
                GatedFeedForward(
                    scope("mlp"), names: .init(gate: "gate", up: "value", down: "fc2"), hiddenSize: hiddenSize,
                    intermediateSize: intermediateSize, activation: decoder.activation, bias: true),
                norms: .pre(norm(scope("final_layernorm")))))
    }
}

// MARK: - Model

/// Moonshine on a device: encode a recording of at most 30 seconds, then decode tokens that attend to it.
package final class Moonshine: WaveformReader {
    package let configuration: Configuration
    package let decoder: Decoder
    private let encoder: WaveformEncoder
    private let input: InputBuffer

    /// Half a minute, as the model was trained with.
    package static let longestSamples = 30 * 16_000

    /// Declares the model; nothing is allocated.
    package init(configuration c: Configuration) {
        configuration = c
        let (parameters, workspace) = (ParameterList(), Workspace())
        encoder = WaveformEncoder(
            ParameterScope(list: parameters, prefix: "model.encoder.", purpose: .weightsEncoder), configuration: c,
            samples: Self.longestSamples, workspace: workspace)
        input = InputBuffer(label: "samples", byteCount: Self.longestSamples * 4)
        let scope = ParameterScope(list: parameters, prefix: "model.decoder.", purpose: .weightsDecoder)
        let table = scope.matrix("embed_tokens.weight", outputs: c.vocabulary, inputs: c.hiddenSize)
        let output =
            c.isTied
            ? table
            : ParameterScope(list: parameters, purpose: .weightsDecoder).matrix(
                "proj_out.weight", outputs: c.vocabulary, inputs: c.hiddenSize)
        let rotary = c.rotary(c.decoder, positions: c.contextLength, purpose: .weightsDecoder)
        decoder = Decoder(
            .init(
                name: "Moonshine", hiddenSize: c.hiddenSize, vocabularySize: c.vocabulary,
                contextLength: c.contextLength, embedding: TokenEmbedding(table),
                blocks: (0..<c.decoder.layers).map { c.decoderBlock($0, scope("layers.\($0)"), rotary: rotary) },
                finalNorm: c.norm(scope("norm")), output: OutputProjection(output),
                source: .init(capacity: WaveformEncoder.rows(samples: Self.longestSamples)[2])),
            parameters: parameters, workspace: workspace, resources: [input, encoder.rotary])
    }

    package var encoderLayers: Int { configuration.encoder.layers }
    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { configuration.endTokens }
    package var sampleLimits: ClosedRange<Int> { Self.shortestSamples...Self.longestSamples }
    package var samplesPerPosition: Int { WaveformEncoder.convolutions.reduce(1) { $0 * $1.stride } }

    /// The first number of samples that gives a position.
    private static let shortestSamples = WaveformEncoder.convolutions.reversed().reduce(1) {
        ($0 - 1) * $1.stride + $1.kernel
    }

    package func encode(samples: [Float]) throws {
        _ = try decoder.loaded()
        guard sampleLimits.contains(samples.count) else {
            throw TransformerError.inputShape(
                what: "the samples of a recording (from \(sampleLimits.lowerBound) to \(sampleLimits.upperBound))",
                expected: [min(max(samples.count, sampleLimits.lowerBound), sampleLimits.upperBound)],
                actual: [samples.count])
        }
        input.buffer.write(samples)
        try decoder.encode { engine, observe in
            let samples = Tensor(buffer: input.buffer, rows: samples.count, columns: 1)
            return (try encoder(samples, tap: engine.tap, observe: observe, on: engine.stream), nil, nil)
        }
    }

    package func encodeSample(of files: ModelFiles) throws -> [Int] {
        try encode(samples: [Float](repeating: 0, count: 5 * 16_000))
        return []
    }
}

// MARK: - Files

extension Moonshine {
    package static var modelTypes: [String] { ["moonshine"] }

    package static func make(from files: ModelFiles) throws -> Moonshine {
        guard let file = files.configuration else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        var configuration = try Configuration(file)
        let aliases = EmbeddingAliases(checkpoint: files.checkpoint, naming: HuggingFaceNaming())
        if try aliases.areDifferent("proj_out.weight", "model.decoder.embed_tokens.weight") {
            configuration.isTied = false
        }
        if let length = files.options.contextLength {
            configuration.contextLength = max(1, min(length, configuration.positions))
        }
        let model = Moonshine(configuration: configuration)
        try model.assignStoredFormats(of: files)
        return model
    }

    package func weightSource(of files: ModelFiles) -> WeightSource {
        WeightSource(
            checkpoint: files.checkpoint, naming: Naming(intermediateSize: configuration.intermediateSize))
    }

    /// Hugging Face names; the decoder's `fc1` holds the values, then the gate.
    private struct Naming: CheckpointNaming {
        let intermediateSize: Int
        private let plain = HuggingFaceNaming()

        init(intermediateSize: Int) { self.intermediateSize = intermediateSize }

        func candidates(for key: String) -> [StoredSlice] {
            for (part, row) in [(".mlp.value.", 0), (".mlp.gate.", intermediateSize)] where key.contains(part) {
                return plain.candidates(for: key.replacing(part, with: ".mlp.fc1.")).map {
                    StoredSlice($0.name, firstRow: row)
                }
            }
            return plain.candidates(for: key)
        }
    }
}
