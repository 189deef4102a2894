import Foundation
import NumberFormats
import Generation
import Support
import Terminal

/// The words a model reads, as the attention panel draws them.
package struct SourceView: Sendable, Hashable {
    struct Token: Sendable, Hashable {
        /// Sanitized, blanks included.
        let text: String
        let piece: String
        let isSpecial: Bool

        /// What to call the token where it stands alone.
        var label: String {
            let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
            return trimmed.isEmpty ? (text.contains("\n") ? "⏎" : piece) : trimmed
        }
    }

    private(set) var tokens: [Token]
    /// `SourceText.rollout`
    private(set) var rollout: [Float] = []

    init(_ source: SourceText) {
        rollout = source.rollout.count == source.tokens.count * source.tokens.count ? source.rollout : []
        tokens = source.tokens.map {
            Token(text: Sanitizer.cells.text($0.text), piece: Sanitizer.cells.line($0.piece), isSpecial: $0.isSpecial)
        }
    }

    /// The source followed by the answer so far: what a decoder's self-attention has as keys.
    init(_ prompt: SourceView, answer: ArraySlice<TokenRecord>) {
        tokens = prompt.tokens + answer.map { Token(text: $0.text, piece: $0.piece, isSpecial: $0.isSpecial) }
    }
}
