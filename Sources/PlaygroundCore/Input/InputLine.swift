/// The text being typed, its cursor, and its history.
package struct InputLine: Sendable, Hashable {
    package private(set) var characters: [Character] = []
    package private(set) var cursor = 0
    private var history: [String] = []
    /// Suggested questions, the best first.
    package private(set) var suggestions: [String] = []
    /// Place in the history; nil while a new line is typed.
    private var recalled: Int?
    private var draft: [Character] = []
    /// Completions, shown above the line.
    package var candidates: [String] = []

    package init() {}

    package var text: String { String(characters) }
    package var isEmpty: Bool { characters.isEmpty }
    var beforeCursor: String { String(characters[..<cursor]) }

    mutating func insert(_ text: String) {
        let added = Array(text)
        characters.insert(contentsOf: added, at: cursor)
        cursor += added.count
        candidates = []
    }

    /// Replaces the last `count` characters before the cursor.
    mutating func replace(_ count: Int, with text: String) {
        let start = max(0, cursor - count)
        characters.removeSubrange(start..<cursor)
        cursor = start
        insert(text)
    }

    mutating func move(_ offset: Int) { cursor = max(0, min(characters.count, cursor + offset)) }
    mutating func moveToStart() { cursor = 0 }
    mutating func moveToEnd() { cursor = characters.count }

    mutating func moveWord(_ direction: Int) { cursor = wordBoundary(direction) }

    mutating func deleteBackward() {
        guard cursor > 0 else { return }
        cursor -= 1
        characters.remove(at: cursor)
        candidates = []
    }

    mutating func deleteForward() {
        if cursor < characters.count { characters.remove(at: cursor) }
        candidates = []
    }

    mutating func deleteWord() {
        let start = wordBoundary(-1)
        characters.removeSubrange(start..<cursor)
        cursor = start
        candidates = []
    }

    mutating func deleteToStart() {
        characters.removeSubrange(..<cursor)
        cursor = 0
        candidates = []
    }

    mutating func deleteToEnd() {
        characters.removeSubrange(cursor...)
        candidates = []
    }

    mutating func clear() {
        characters = []
        cursor = 0
        recalled = nil
        candidates = []
    }

    /// Removes the line for sending and adds it to the history.
    mutating func take() -> String {
        let line = text
        if !line.isEmpty && history.last != line { history.append(line) }
        if history.count > 500 { history.removeFirst() }
        clear()
        return line
    }

    /// Sets the suggested questions, the best first; ↑ offers them before the history.
    mutating func suggest(_ questions: [String]) {
        history.removeAll { suggestions.contains($0) }
        history += questions.reversed()
        suggestions = questions
        recalled = nil
    }

    /// Moves through the history: -1 is older, +1 newer.
    mutating func recall(_ direction: Int) {
        let place = recalled ?? history.count
        let target = place + direction
        guard target >= 0 && target <= history.count, !history.isEmpty else { return }
        if recalled == nil { draft = characters }
        recalled = target == history.count ? nil : target
        characters = target == history.count ? draft : Array(history[target])
        cursor = characters.count
        candidates = []
    }

    private func wordBoundary(_ direction: Int) -> Int {
        var place = cursor
        func isWord(_ index: Int) -> Bool { characters[index].isLetter || characters[index].isNumber }
        if direction < 0 {
            while place > 0 && !isWord(place - 1) { place -= 1 }
            while place > 0 && isWord(place - 1) { place -= 1 }
        } else {
            while place < characters.count && !isWord(place) { place += 1 }
            while place < characters.count && isWord(place) { place += 1 }
        }
        return place
    }
}
