/// Text out of token ids as they come. Every piece of text consists of whole characters, and all pieces together are what
/// `Tokenizer.decode` gives for the same ids.
package struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private let skipSpecialTokens: Bool
    private var pipeline: DecoderPipeline

    package init(_ tokenizer: Tokenizer, skipSpecialTokens: Bool = true) {
        self.tokenizer = tokenizer
        self.skipSpecialTokens = skipSpecialTokens
        pipeline = DecoderPipeline(tokenizer.decoder)
    }

    /// The text that has become certain with this token; empty while a character is incomplete.
    package mutating func append(_ id: Int) -> String {
        if skipSpecialTokens, tokenizer.isSpecial(id) { return "" }
        guard let piece = tokenizer.decoderPiece(id) else { return "" }
        return String(decoding: pipeline.accept(piece), as: UTF8.self)
    }

    /// What is left at the end, incomplete characters as U+FFFD. The decoder is as new afterwards.
    package mutating func finish() -> String {
        let rest = String(decoding: pipeline.finish(), as: UTF8.self)
        pipeline = DecoderPipeline(tokenizer.decoder)
        return rest
    }
}
