/// Text split into the words that the model tokenizes one by one: the bytes, and a range of them per word.
struct PreTokenizedText {
    var bytes: [UInt8]
    var words: [Range<Int>]
    /// True if the first word is at the beginning of the input.
    var beginsInput: Bool

    init(_ bytes: [UInt8], beginsInput: Bool) {
        self.bytes = bytes
        words = bytes.isEmpty ? [] : [0..<bytes.count]
        self.beginsInput = beginsInput
    }

    /// Splits every word further. `cut` receives the word's bytes and reports ranges relative to them; empty ones are dropped.
    mutating func cutWords(_ cut: (UnsafeBufferPointer<UInt8>, _ emit: (Range<Int>) -> Void) -> Void) {
        var result: [Range<Int>] = []
        result.reserveCapacity(max(words.count, bytes.count / 5))
        let start = words.first?.lowerBound
        bytes.withUnsafeBufferPointer { buffer in
            for word in words {
                cut(UnsafeBufferPointer(rebasing: buffer[word])) { range in
                    if !range.isEmpty {
                        result.append(word.lowerBound + range.lowerBound..<word.lowerBound + range.upperBound)
                    }
                }
            }
        }
        words = result
        beginsInput = beginsInput && result.first?.lowerBound == start
    }

    /// Rewrites every word. `rewrite` appends the new bytes of a word; its flag is true for the first word of the input.
    mutating func rewriteWords(
        _ rewrite: (UnsafeBufferPointer<UInt8>, _ beginsInput: Bool, _ into: inout [UInt8]) -> Void
    ) {
        var newBytes: [UInt8] = []
        newBytes.reserveCapacity(bytes.count + bytes.count / 2)
        var newWords: [Range<Int>] = []
        newWords.reserveCapacity(words.count)
        bytes.withUnsafeBufferPointer { buffer in
            for (index, word) in words.enumerated() {
                let start = newBytes.count
                rewrite(UnsafeBufferPointer(rebasing: buffer[word]), index == 0 && beginsInput, &newBytes)
                if newBytes.count > start { newWords.append(start..<newBytes.count) }
            }
        }
        bytes = newBytes
        words = newWords
    }
}

/// A split of normalized text into words (tokenizer.json `pre_tokenizer`).
protocol PreTokenizer: Sendable {
    func apply(to text: inout PreTokenizedText)
}

/// Pre-tokenizers in sequence.
struct SequencePreTokenizer: PreTokenizer {
    let steps: [any PreTokenizer]
    func apply(to text: inout PreTokenizedText) {
        for step in steps { step.apply(to: &text) }
    }
}
