import Regex

/// SentencePiece's normalization: the character map by longest match; runs of whitespace become one visible mark.
struct SentencePieceNormalizer: Normalizer {
    let map: CharacterMap?
    let addsDummyPrefix: Bool
    let removesExtraWhitespace: Bool
    let escapesWhitespace: Bool
    let treatsWhitespaceAsSuffix: Bool
    /// User-defined pieces pass unchanged.
    let userDefined: ByteTrie

    static let mark = Array("\u{2581}".utf8)
    private var space: [UInt8] { escapesWhitespace ? Self.mark : [0x20] }

    init(_ model: SentencePieceModel) {
        map = model.characterMap
        addsDummyPrefix = model.addsDummyPrefix
        removesExtraWhitespace = model.removesExtraWhitespace
        escapesWhitespace = model.escapesWhitespace
        treatsWhitespaceAsSuffix = model.treatsWhitespaceAsSuffix
        userDefined = model.userDefinedTrie
    }

    func normalize(_ text: [UInt8]) -> [UInt8] {
        text.withUnsafeBufferPointer { normalize($0) }
    }

    private func normalize(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var index = 0
        if removesExtraWhitespace {
            while index < text.count {
                let (part, length) = prefix(text, at: index)
                guard part.elementsEqual([0x20]) else { break }
                index += length
            }
        }
        guard index < text.count else { return [] }
        var result: [UInt8] = []
        result.reserveCapacity(text.count + text.count / 4)
        if addsDummyPrefix, !treatsWhitespaceAsSuffix { result += space }
        var afterSpace = removesExtraWhitespace
        while index < text.count {
            var (part, length) = prefix(text, at: index)
            while afterSpace, part.first == 0x20 { part = part.dropFirst() }
            for byte in part {
                if byte == 0x20 { result += space } else { result.append(byte) }
            }
            if let last = part.last { afterSpace = last == 0x20 }
            index += length
            if !removesExtraWhitespace { afterSpace = false }
        }
        if removesExtraWhitespace {
            while result.count >= space.count, result.suffix(space.count).elementsEqual(space) {
                result.removeLast(space.count)
            }
        }
        if addsDummyPrefix, treatsWhitespaceAsSuffix { result += space }
        return result
    }

    /// The replacement of the text at `index`, and the number of bytes that it replaces.
    private func prefix(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (part: ArraySlice<UInt8>, length: Int) {
        if !userDefined.isEmpty, let match = userDefined.longest(in: text, at: index) {
            return (Array(text[index..<match.end])[...], match.end - index)
        }
        if let match = map?.longest(text, at: index), match.length > 0 { return (match.replacement, match.length) }
        let length = UTF8Text.scalar(text, at: index).length
        return (Array(text[index..<index + length])[...], length)
    }
}
