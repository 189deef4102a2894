import Transformer

/// A model whose encoder reads a text: translation, summaries, instructions.
package protocol TextSource: Model {
    var textEncoder: TextEncoder { get }
}

extension TextSource {
    package var textSource: (any TextSource)? { self }
    package var capabilities: ModelCapabilities { .init(inputs: [.sourceText], watchedAttention: .cross) }
    package var encoderLayers: Int { textEncoder.layerCount }
    /// Tokens that the encoder has embeddings for.
    package var sourceVocabulary: Int { textEncoder.vocabularySize }
    /// Largest number of tokens of a source.
    package var sourcePositions: Int { textEncoder.capacity }

    /// Encodes a text and caches every block's cross-attention keys and values.
    /// - Parameter mask: tells padding (false) from tokens; nil where there is no padding.
    /// - Throws: `TransformerError` for a source that is empty, too long or outside the vocabulary.
    package func encode(tokens: [Int], mask: [Bool]? = nil) throws {
        _ = try decoder.loaded()
        try textEncoder.check(tokens, mask: mask, model: family)
        try decoder.encode { engine, observe in
            let (output, mask) = try textEncoder(
                tokens, mask: mask, tap: engine.tap, observe: observe, on: engine.stream)
            return (output, nil, mask)
        }
    }

    package func encodeSample(of files: ModelFiles) throws -> [Int] {
        try encode(tokens: Array(repeating: 0, count: min(Decoder.warmUpTokens, sourcePositions)))
        return []
    }
}
