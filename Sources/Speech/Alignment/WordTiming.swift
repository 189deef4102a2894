/// A word as the tokenizer splits it, before it has a time.
package struct WordTokens: Sendable, Hashable {
    /// With its leading space where it has one.
    package let text: String
    package let tokens: [Int]

    package init(text: String, tokens: [Int]) {
        self.text = text
        self.tokens = tokens
    }
}

/// A word with its times, in seconds from the start of the window.
package struct AlignedWord: Sendable, Hashable {
    package var text: String
    package var tokens: [Int]
    package var start: Double
    package var end: Double
    /// Mean probability of the word's tokens.
    package var probability: Double

    package init(text: String, tokens: [Int], start: Double, end: Double, probability: Double) {
        self.text = text
        self.tokens = tokens
        self.start = start
        self.end = end
        self.probability = probability
    }
}

/// Words from aligned tokens, by the rules Whisper publishes (`timing.py`).
package enum WordTiming {
    /// Punctuation that belongs to the word after it.
    package static let prependedPunctuation = "\"'“¿([{-"
    /// Punctuation that belongs to the word before it.
    package static let appendedPunctuation = "\"'.。,，!！?？:：”)]}、"
    private static let sentenceEnds = ".。!！?？"

    /// Gives each word the time at which the path enters its first token, and the word after it its end.
    ///
    /// - Parameters:
    ///   - words: the words of the text, the last being the end-of-text token.
    ///   - startTimes: seconds at which each token begins, one for each token of all `words`.
    ///   - probabilities: one for each text token (the end token has none).
    /// - Returns: the words without the end token; empty when there is no text.
    package static func align(words: [WordTokens], startTimes: [Double], probabilities: [Double]) -> [AlignedWord] {
        guard words.count > 1, !startTimes.isEmpty else { return [] }
        var aligned: [AlignedWord] = []
        var first = 0
        for word in words.dropLast() {
            let next = first + word.tokens.count
            let own = probabilities[min(first, probabilities.count)..<min(next, probabilities.count)]
            aligned.append(
                AlignedWord(
                    text: word.text, tokens: word.tokens, start: startTimes[min(first, startTimes.count - 1)],
                    end: startTimes[min(next, startTimes.count - 1)],
                    probability: own.isEmpty ? 0 : own.reduce(0, +) / Double(own.count)))
            first = next
        }
        return aligned
    }

    /// The median length of the words that have one, at most 0.7 s; 0 without such words.
    package static func medianDuration(_ words: [AlignedWord]) -> Double {
        let durations = words.map { $0.end - $0.start }.filter { $0 != 0 }.sorted()
        guard !durations.isEmpty else { return 0 }
        let middle = durations.count / 2
        let median = durations.count % 2 == 1 ? durations[middle] : (durations[middle - 1] + durations[middle]) / 2
        return min(0.7, median)
    }

    /// Words next to a sentence's end are no longer than twice the median: pauses would stretch them otherwise.
    package static func clampAtSentenceEnds(_ words: inout [AlignedWord], maximum: Double) {
        guard words.count > 1, words.contains(where: { $0.end != $0.start }) else { return }
        for index in 1..<words.count where words[index].end - words[index].start > maximum {
            if isPart(words[index].text, of: sentenceEnds) {
                words[index].end = words[index].start + maximum
            } else if isPart(words[index - 1].text, of: sentenceEnds) {
                words[index].start = words[index].end - maximum
            }
        }
    }

    /// Joins punctuation to the words it belongs to. A word given away stays as an empty entry without tokens.
    package static func mergePunctuation(
        _ words: inout [AlignedWord], prepended: String = prependedPunctuation, appended: String = appendedPunctuation
    ) {
        var following = words.count - 1
        for previous in stride(from: words.count - 2, through: 0, by: -1) {
            if words[previous].text.hasPrefix(" "), isPart(words[previous].text.trimmingWhitespace(), of: prepended) {
                words[following].text = words[previous].text + words[following].text
                words[following].tokens = words[previous].tokens + words[following].tokens
                words[previous].text = ""
                words[previous].tokens = []
            } else {
                following = previous
            }
        }
        var previous = 0
        for following in words.indices.dropFirst() {
            if !words[previous].text.hasSuffix(" "), isPart(words[following].text, of: appended) {
                words[previous].text += words[following].text
                words[previous].tokens += words[following].tokens
                words[following].text = ""
                words[following].tokens = []
            } else {
                previous = following
            }
        }
    }

    /// Tests if `text` occurs in the punctuation as a run of scalars; the empty text does.
    package static func isPart(_ text: String, of punctuation: String) -> Bool {
        let wanted = Array(text.unicodeScalars), all = Array(punctuation.unicodeScalars)
        guard !wanted.isEmpty else { return true }
        guard wanted.count <= all.count else { return false }
        return (0...all.count - wanted.count).contains { Array(all[$0..<$0 + wanted.count]) == wanted }
    }
}
