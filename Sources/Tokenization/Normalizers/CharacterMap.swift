import Regex

/// SentencePiece's precompiled normalization map: a double-array trie from byte strings to replacements
/// (Kudo & Richardson 2018; trie layout of Darts-clone). Every index from the file is checked.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// Layout: trie size in bytes (little-endian 32 bits), trie units, replacements that end with a zero byte.
    init?(_ data: [UInt8]) {
        guard data.count >= 4 else { return nil }
        func word(_ offset: Int) -> UInt32 {
            UInt32(data[offset]) | UInt32(data[offset + 1]) << 8 | UInt32(data[offset + 2]) << 16 | UInt32(
                data[offset + 3]) << 24
        }
        let size = Int(word(0))
        guard size > 0, size % 4 == 0, size <= data.count - 4 else { return nil }
        units = stride(from: 4, to: 4 + size, by: 4).map(word)
        replacements = Array(data[(4 + size)...])
        // A few bytes of text must not become a book.
        let longest = replacements.split(separator: 0).lazy.map(\.count).max() ?? 0
        guard longest <= Self.longestReplacement else { return nil }
    }

    private static let longestReplacement = 256

    /// Calls `body` with the length and the value of every key that is a prefix of the text, shortest first, until it returns false.
    private func prefixes(
        of text: UnsafeBufferPointer<UInt8>, from start: Int, to end: Int, _ body: (_ length: Int, _ value: Int) -> Bool
    ) {
        var node = Self.offset(units[0])
        var index = start
        while index < end {
            let byte = text[index]
            if byte == 0 { return }
            node ^= Int(byte)
            guard node < units.count else { return }
            let unit = units[node]
            guard unit & 0x8000_00FF == UInt32(byte) else { return }
            node ^= Self.offset(unit)
            guard node < units.count else { return }
            index += 1
            if unit >> 8 & 1 == 1, !body(index - start, Int(units[node] & 0x7FFF_FFFF)) { return }
        }
    }

    private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 0x200) >> 6)) }

    private func replacement(at start: Int) -> ArraySlice<UInt8>? {
        guard start < replacements.count else { return nil }
        return replacements[start...].prefix { $0 != 0 }
    }

    /// The replacement of the shortest key that is a prefix of the range.
    private func shortest(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>) -> ArraySlice<UInt8>? {
        var found: Int?
        prefixes(of: text, from: range.lowerBound, to: range.upperBound) { _, value in
            found = value
            return false
        }
        return found.flatMap(replacement(at:))
    }

    /// The rule of tokenizer.json's `Precompiled`: by grapheme cluster of at most five bytes, else by character. The shortest
    /// matching key replaces the whole range; SentencePiece itself takes the longest key.
    func normalizeByCluster(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        let string = String(decoding: text, as: UTF8.self)
        text.withUnsafeBufferPointer { buffer in
            var start = 0
            for character in string {
                let length = character.utf8.count
                let end = min(start + length, buffer.count)
                if length < 6, let replacement = shortest(buffer, start..<end) {
                    result += replacement
                } else {
                    var index = start
                    while index < end {
                        let scalar = index..<min(index + UTF8Text.scalar(buffer, at: index).length, end)
                        if let replacement = shortest(buffer, scalar) {
                            result += replacement
                        } else {
                            result += buffer[scalar]
                        }
                        index = scalar.upperBound
                    }
                }
                start = end
            }
        }
        return result
    }

    /// The replacement of the longest key at `index`, and the number of bytes that it replaces.
    func longest(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (replacement: ArraySlice<UInt8>, length: Int)? {
        var found: (length: Int, value: Int)?
        prefixes(of: text, from: index, to: text.count) { length, value in
            found = (length, value)
            return true
        }
        guard let found, let replacement = replacement(at: found.value) else { return nil }
        return (replacement, found.length)
    }
}
