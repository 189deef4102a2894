import Foundation
import Generation
import Support

/// A generated token on the screen.
package struct TokenRecord: Sendable {
    package var index: Int
    package var window: Int
    package var id: Int
    package var text: String
    /// Text that it adds to the thoughts before the answer.
    package var thought: String
    package var piece: String
    package var isSpecial: Bool
    package var timestamp: Double?
    package var probability: Float
    package var alternatives: [TokenAlternative]
    /// Index in the attention record; nil if no attention was captured.
    package var record: Int?

    init(_ token: GeneratedToken, record: Int?) {
        index = token.index
        window = token.window
        id = token.id
        text = Sanitizer.cells.text(token.text)
        thought = Sanitizer.cells.text(token.thought ?? "")
        piece = Sanitizer.cells.line(token.piece)
        isSpecial = token.isSpecial
        timestamp = token.timestamp
        probability = Foundation.exp(token.logProbability)
        alternatives = token.alternatives
        self.record = record
    }

    /// The visible name of the token: its text, or its vocabulary spelling.
    var label: String {
        let text = text.isEmpty ? thought : text
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return trimmed.isEmpty ? (text.contains("\n") ? "⏎" : piece) : trimmed
    }
}

/// The position of a token in the conversation.
package struct TokenPlace: Sendable, Hashable, Comparable {
    package var message: Int
    package var token: Int

    package static func < (a: Self, b: Self) -> Bool { (a.message, a.token) < (b.message, b.token) }
}
