import Checkpoint
import Compute
import Foundation
import Transformer

/// The sizes of an encoder-decoder with a norm after each block, as BART and Marian share them.
package struct PostNormConfiguration: Sendable, Hashable {
    /// Where positions come from.
    package enum Positions: Sendable, Hashable {
        /// Sines in the first half of a row, cosines in the second; checkpoints need not store them.
        case sinusoidal
        /// A learned table whose first `offset` rows stand for nothing.
        case learned(offset: Int)
        /// As tensor2tensor has them: wavelengths whose last is 10000 exactly, the first position being `first`. Never
        /// stored.
        case sinusoidalToTheEnd(first: Int)
    }

    /// What one side of the model has.
    package struct Stack: Sendable, Hashable {
        package var layers: Int
        package var heads: Int
        package var hidden: Int
    }

    /// The encoder's vocabulary.
    package var vocabulary = 50265
    /// The decoder's vocabulary.
    package var decoderVocabulary = 50265
    package var size = 1024
    package var encoder = Stack(layers: 12, heads: 16, hidden: 4096)
    package var decoder = Stack(layers: 12, heads: 16, hidden: 4096)
    package var activation = Activation.gelu
    package var scalesEmbedding = false
    /// Positions of the source and of the decoder.
    package var positions = 1024
    package var positionKind = Positions.learned(offset: 2)
    /// Whether a norm follows the embedding.
    package var normalizesEmbedding = true
    /// Encoder and decoder have one embedding.
    package var sharesEmbedding = true
    /// The decoder's embedding is also the output projection.
    package var isTied = true
    package var startToken = 2
    package var endTokens: Set<Int> = [2]

    package init() {}

    /// Reads a Hugging Face `config.json` (and `generation_config.json`); what it lacks stays as in `defaults`.
    init(_ file: ModelConfiguration, defaults: PostNormConfiguration) throws {
        self = defaults
        let main = file.main
        vocabulary = try main.int("vocab_size", default: vocabulary)
        decoderVocabulary = try main.int("decoder_vocab_size", default: vocabulary)
        size = try main.int("d_model", default: size)
        encoder = Stack(
            layers: try main.int("encoder_layers", default: encoder.layers),
            heads: try main.int("encoder_attention_heads", default: encoder.heads),
            hidden: try main.int("encoder_ffn_dim", default: encoder.hidden))
        decoder = Stack(
            layers: try main.int("decoder_layers", default: decoder.layers),
            heads: try main.int("decoder_attention_heads", default: decoder.heads),
            hidden: try main.int("decoder_ffn_dim", default: decoder.hidden))
        activation = try Activation(named: "activation_function", in: main, default: "gelu")
        scalesEmbedding = try main.bool("scale_embedding", default: scalesEmbedding)
        positions = try main.int("max_position_embeddings", default: positions)
        sharesEmbedding = try main.bool("share_encoder_decoder_embeddings", default: true)
        isTied = try main.bool("tie_word_embeddings", default: true)
        startToken = try main.int(
            "decoder_start_token_id", default: file.generation.int("decoder_start_token_id", default: startToken))
        endTokens = Set(
            try file.generation.ints("eos_token_id", default: main.ints("eos_token_id", default: Array(endTokens))))
        try validate(file: main.file)
    }

    private func validate(file: String) throws {
        var limits: [(key: String, value: Int, range: ClosedRange<Int>)] = [
            ("vocab_size", vocabulary, 1...2_000_000), ("decoder_vocab_size", decoderVocabulary, 1...2_000_000),
            ("d_model", size, 1...65536),
            ("max_position_embeddings", positions, 1...65535),
        ]
        for (side, stack) in [("encoder", encoder), ("decoder", decoder)] {
            limits.append(("\(side)_layers", stack.layers, 1...1024))
            limits.append(("\(side)_attention_heads", stack.heads, 1...1024))
            limits.append(("\(side)_ffn_dim", stack.hidden, 1...1_000_000))
        }
        try ModelError.requireRange(file, limits)
        try ModelError.requireRange(file, [("decoder_start_token_id", startToken, 0...decoderVocabulary - 1)])
        for (key, stack) in [("encoder_attention_heads", encoder), ("decoder_attention_heads", decoder)] {
            guard size % stack.heads == 0, size / stack.heads <= AttentionSelection.largestHead else {
                throw ModelError.configuration(
                    file: file, key: key,
                    problem:
                        "\(stack.heads) heads do not divide the model size \(size) into heads of at most \(AttentionSelection.largestHead)"
                )
            }
        }
        guard !sharesEmbedding || vocabulary == decoderVocabulary else {
            throw ModelError.configuration(
                file: file, key: "decoder_vocab_size",
                problem:
                    "one embedding is shared, but the vocabularies have \(vocabulary) and \(decoderVocabulary) tokens")
        }
    }

    // MARK: Shared parts

    func attention(_ stack: Stack) -> AttentionShape {
        AttentionShape(heads: stack.heads, headDimension: size / stack.heads)
    }

    var embeddingScale: Float { scalesEmbedding ? Float(size).squareRoot() : 1 }

    /// A side's table of positions.
    func positionTable(_ scope: ParameterScope) -> PositionTable {
        let name = "embed_positions.weight"
        switch positionKind {
        case .learned(let offset):
            return PositionTable(scope.table(name, rows: positions + offset, columns: size), first: offset)
        case .sinusoidal:
            return PositionTable(
                scope.optionalTable(name, rows: positions, columns: size) { [positions, size] in
                    Self.sinusoids(positions: positions, size: size)
                })
        case .sinusoidalToTheEnd(let first):
            return PositionTable(
                scope.optionalTable(name, rows: positions, columns: size) { [positions, size] in
                    Self.sinusoidsToTheEnd(first: first, positions: positions, size: size)
                })
        }
    }

    /// `[positions, size]`: sin(p · w) for the first half of the columns, cos for the second, zero in an odd last one,
    /// with w = 10000^(−i / (size / 2 − 1)); as transformers' `TrOCRSinusoidalPositionalEmbedding`.
    static func sinusoidsToTheEnd(first: Int, positions: Int, size: Int) -> [Float] {
        let half = size / 2
        var table = [Float](repeating: 0, count: positions * size)
        for position in 0..<positions {
            for pair in 0..<half {
                let angle = Double(first + position) * pow(10000, -Double(pair) / Double(max(half - 1, 1)))
                table[position * size + pair] = Float(sin(angle))
                table[position * size + half + pair] = Float(cos(angle))
            }
        }
        return table
    }

    /// `[positions, size]`: sin(p / 10000^(2i / size)) for the first half of the columns, cos for the second; as
    /// transformers' `MarianSinusoidalPositionalEmbedding`.
    static func sinusoids(positions: Int, size: Int) -> [Float] {
        let sines = (size + 1) / 2
        var table = [Float](repeating: 0, count: positions * size)
        for position in 0..<positions {
            for column in 0..<size {
                let pair = column < sines ? column : column - sines
                let angle = Double(position) / pow(10000, Double(2 * pair) / Double(size))
                table[position * size + column] = Float(column < sines ? sin(angle) : cos(angle))
            }
        }
        return table
    }
}
