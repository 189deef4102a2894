import AttentionAnalysis

/// The conversation on the screen.
package struct ChatState: Sendable {
    package var messages: [Message] = []
    /// Number of lines scrolled up from the newest.
    package var scroll = 0
    package var showsProbabilities = false
    /// Thoughts are shown in full above their answers.
    package var showsThoughts = false
    /// Number of the current answer. Events of earlier answers are dropped.
    package var answer = 0
    /// The captured attention of all tokens, by `TokenRecord.record`.
    package var record = AttentionRecord()

    /// Index of the newest answer.
    var lastAnswer: Int? { messages.lastIndex { $0.isAnswer } }
}
