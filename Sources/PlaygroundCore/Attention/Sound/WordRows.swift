import Terminal

/// The words of the window, each at its time, or at the peak of its attention until the time is known.
enum WordRows {
    private struct Word {
        var text: String
        /// Share of the window, 0…1.
        var place: Double
        var tokens: Range<Int>
    }

    static func draw(
        _ state: State, _ subject: AttentionSubject, _ view: TimeView, in rect: Rect, onto canvas: inout Canvas
    ) {
        let theme = state.theme
        let words = words(of: state.chat.messages[subject.message], window: view.sound, state.attention.rows)
        var free = Array(repeating: Array(repeating: true, count: rect.width), count: rect.height)
        let chosen = subject.place.flatMap { place in words.firstIndex { $0.tokens.contains(place.token) } }

        func put(_ word: Word, marked: Bool) {
            guard let column = view.column(word.place) else { return }
            let text = fitted(word.text, width: min(rect.width, 24))
            let width = TextWidth.width(of: text) + (marked ? 1 : 0)
            // The mark is under the peak; without room at its right the word is at its left.
            let isLeft = marked && column + width > rect.width
            let label = marked ? (isLeft ? text + "▲" : "▲" + text) : text
            let start = max(
                0, min(rect.width - width, isLeft ? column - width + 1 : marked ? column : column - width / 2))
            let wanted = max(0, start - 1)..<min(rect.width, start + width + 1)
            guard let row = free.indices.first(where: { row in wanted.allSatisfy { free[row][$0] } }) else { return }
            for place in wanted { free[row][place] = false }
            canvas.draw(
                label, x: rect.x + start, y: rect.y + row, marked ? theme.accent.with(.bold) : theme.quiet, in: rect)
        }

        if let chosen { put(words[chosen], marked: true) }
        // Nearest to the selected word first, because readers compare it with its neighbors.
        let order = words.indices.filter { $0 != chosen }.sorted {
            abs($0 - (chosen ?? words.count)) < abs($1 - (chosen ?? words.count))
        }
        for index in order { put(words[index], marked: false) }
    }

    /// The window's words: with the times of finished segments, else tokens joined to words (a token that begins with a
    /// blank begins a word) at the peak of their attention.
    private static func words(of message: Message, window: SoundView, _ rows: AttentionRows) -> [Word] {
        var words: [Word] = message.words.compactMap { word in
            guard window.length > 0, message.tokens.indices.contains(word.tokens.lowerBound),
                message.tokens[word.tokens.lowerBound].window == window.index
            else { return nil }
            return Word(
                text: word.text, place: ((word.start + word.end) / 2 - window.start) / window.length,
                tokens: word.tokens)
        }
        var open = false
        let timed = message.words.last?.tokens.upperBound ?? 0
        for (index, token) in message.tokens.enumerated().dropFirst(timed) {
            guard token.window == window.index, !token.isSpecial, !token.text.isEmpty else { open = false; continue }
            if !open || token.text.first == " " {
                guard let peak = rows.peak(ofToken: index) else { open = false; continue }
                words.append(Word(text: token.label, place: peak, tokens: index..<index + 1))
                open = true
            } else {
                words[words.count - 1].text += token.text.filter { $0 != "\n" }
                words[words.count - 1].tokens = words[words.count - 1].tokens.lowerBound..<index + 1
            }
        }
        return words
    }
}
