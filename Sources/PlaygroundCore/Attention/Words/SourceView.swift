import Foundation
import Generation
import Support

/// The source text of a model, for the attention panel.
package struct SourceView: Sendable, Hashable {
    package struct Token: Sendable, Hashable {
        /// Sanitized text with its blanks.
        package let text: String
        package let piece: String
        package let isSpecial: Bool

        /// The visible name of the token.
        var label: String {
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            return trimmed.isEmpty ? (text.contains("\n") ? "⏎" : piece) : trimmed
        }
    }

    package private(set) var tokens: [Token]
    /// `SourceText.rollout`
    package private(set) var rollout: [Float] = []

    init(_ source: SourceText) {
        rollout = source.rollout.count == source.tokens.count * source.tokens.count ? source.rollout : []
        tokens = source.tokens.map {
            Token(text: Sanitizer.cells.text($0.text), piece: Sanitizer.cells.line($0.piece), isSpecial: $0.isSpecial)
        }
    }

    /// The source followed by the answer so far: the keys of a decoder's self-attention.
    init(_ prompt: SourceView, answer: ArraySlice<TokenRecord>) {
        tokens =
            prompt.tokens + answer.map { Token(text: $0.thought + $0.text, piece: $0.piece, isSpecial: $0.isSpecial) }
    }
}
