/// The texts around the thoughts of an answer.
package struct ThoughtMarks: Sendable, Hashable {
    package let start: String
    package let end: String

    /// Those of most models.
    package static let think = ThoughtMarks(start: "<think>", end: "</think>")
    /// Known pairs: those of most models, and Mistral's.
    private static let known = [think, ThoughtMarks(start: "[THINK]", end: "[/THINK]")]

    /// The pair that a chat template names; templates that take thoughts out of earlier answers name at least the end.
    /// - Parameter template: the source of the template.
    init(in template: String) {
        self = Self.known.first { template.contains($0.end) } ?? .think
    }

    /// True for a prompt after which the model thinks.
    func areOpen(atEndOf prompt: String) -> Bool {
        prompt.lastIndex { !$0.isWhitespace }.map { prompt[...$0].hasSuffix(start) } ?? false
    }

    private init(start: String, end: String) {
        self.start = start
        self.end = end
    }
}

/// Tells the thoughts of an answer from the answer itself while the text streams in.
struct ThoughtSplitter: Sendable {
    private let marks: ThoughtMarks
    private var isThinking: Bool
    /// Text that may be the beginning of a mark.
    private var pending = ""
    /// A mark was the last thing: blanks that follow are neither thought nor answer.
    private var isAfterMark = false

    /// - Parameter isThinking: the prompt ends with the beginning of thoughts.
    init(_ marks: ThoughtMarks, isThinking: Bool = false) {
        self.marks = marks
        self.isThinking = isThinking
        isAfterMark = isThinking
    }

    /// Takes the next piece of the text.
    /// - Returns: text that is complete, without the marks.
    mutating func add(_ text: String) -> (thought: String, answer: String) {
        pending += text
        var parts = (thought: "", answer: "")
        while let mark = pending.firstRange(of: isThinking ? marks.end : marks.start) {
            append(pending[..<mark.lowerBound], to: &parts)
            pending = String(pending[mark.upperBound...])
            isThinking.toggle()
            isAfterMark = true
        }
        let mark = isThinking ? marks.end : marks.start
        let held = (1..<mark.count).last { pending.hasSuffix(mark.prefix($0)) } ?? 0
        append(pending.dropLast(held), to: &parts)
        pending = String(pending.suffix(held))
        return parts
    }

    /// The rest at the end of the text.
    mutating func finish() -> (thought: String, answer: String) {
        var parts = (thought: "", answer: "")
        append(pending[...], to: &parts)
        pending = ""
        return parts
    }

    private mutating func append(_ text: Substring, to parts: inout (thought: String, answer: String)) {
        let text = isAfterMark ? text.drop(while: \.isWhitespace) : text
        guard !text.isEmpty else { return }
        isAfterMark = false
        if isThinking { parts.thought += text } else { parts.answer += text }
    }
}
