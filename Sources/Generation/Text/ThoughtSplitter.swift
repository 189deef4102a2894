/// Tells the thoughts of an answer, from `<think>` to `</think>`, from the answer itself while the text streams in.
package struct ThoughtSplitter: Sendable {
    /// Text of one kind.
    package struct Part: Sendable, Hashable {
        package let text: String
        package let isThought: Bool
    }

    private static let (start, end) = ("<think>", "</think>")
    private var isThinking = false
    /// Text that may be the beginning of a mark.
    private var pending = ""

    package init() {}

    /// Takes the next piece of the text.
    /// - Returns: parts that are complete; the marks are no part of them.
    package mutating func add(_ text: String) -> [Part] {
        pending += text
        var parts: [Part] = []
        func append(_ text: Substring) {
            if !text.isEmpty { parts.append(Part(text: String(text), isThought: isThinking)) }
        }
        while let mark = pending.firstRange(of: isThinking ? Self.end : Self.start) {
            append(pending[..<mark.lowerBound])
            pending = String(pending[mark.upperBound...])
            isThinking.toggle()
        }
        let mark = isThinking ? Self.end : Self.start
        let held = (1..<mark.count).last { pending.hasSuffix(mark.prefix($0)) } ?? 0
        append(pending.dropLast(held))
        pending = String(pending.suffix(held))
        return parts
    }

    /// The rest at the end of the text.
    package mutating func finish() -> [Part] {
        defer { pending = "" }
        return pending.isEmpty ? [] : [Part(text: pending, isThought: isThinking)]
    }
}
