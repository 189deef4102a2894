import Foundation
import Generation
import Terminal

/// The conversation.
public struct ChatState: Sendable {
    public var messages: [Message] = []
    /// Lines scrolled up from the newest.
    public var scroll = 0
    public var showsProbabilities = false
    /// The number of the answer being written; events of earlier ones are dropped.
    var answer = 0
    /// Bytes of captured attention kept in memory.
    var attentionBytes = 0
    var attentionBudget = 256 << 20

    /// The place of the newest message that a model wrote.
    var lastAnswer: Int? { messages.lastIndex { $0.isAnswer } }
}

/// One entry of the conversation. All text in it is sanitised.
public struct Message: Sendable {
    public enum Author: Sendable, Hashable {
        case person
        case model(String)
        case program(Notice.Kind)
    }

    public enum Progress: Sendable, Hashable {
        case streaming, finished, stopped, failed
    }

    public var author: Author
    public var text: String
    public var audioPath: String?
    public var date: Date
    public var progress: Progress = .finished
    public var tokens: [TokenRecord] = []
    public var windows: [SoundView] = []
    public var summary: GenerationSummary?
    /// Finished segments, in order.
    public var segments: [TranscriptSegment] = []

    init(_ author: Author, _ text: String, audioPath: String? = nil, date: Date, progress: Progress = .finished) {
        self.author = author
        self.text = sanitise(text)
        self.audioPath = audioPath
        self.date = date
        self.progress = progress
    }

    var isAnswer: Bool {
        if case .model = author { return true }
        return false
    }

    /// The words of an answer without its special tokens.
    var plainText: String {
        tokens.isEmpty ? text : tokens.filter { !$0.isSpecial }.map(\.text).joined().trimmingCharacters(in: .whitespaces)
    }
}

/// A generated token as the screen keeps it.
public struct TokenRecord: Sendable {
    public var index: Int
    public var window: Int
    public var text: String
    public var piece: String
    public var isSpecial: Bool
    public var timestamp: Double?
    public var probability: Float
    public var alternatives: [TokenAlternative]
    /// nil once it was let go to keep memory bounded.
    public var attention: CapturedAttention?

    init(_ token: GeneratedToken) {
        index = token.index
        window = token.window
        text = sanitise(token.text)
        piece = sanitisedLine(token.piece)
        isSpecial = token.isSpecial
        timestamp = token.timestamp
        probability = Foundation.exp(token.logProbability)
        alternatives = token.alternatives
        attention = CapturedAttention(token.attention)
    }

    /// What to call the token: its text, or its spelling when it has none.
    var label: String {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return trimmed.isEmpty ? piece : trimmed
    }
}

/// A token of the conversation.
public struct TokenPlace: Sendable, Hashable, Comparable {
    public var message: Int
    public var token: Int

    public static func < (a: Self, b: Self) -> Bool { (a.message, a.token) < (b.message, b.token) }
}
