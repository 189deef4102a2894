/// WordPiece (Schuster & Nakajima 2012, as in BERT): the longest matching token, from the
/// left. A word with a part without a match is unknown.
struct WordPiece: TokenModel {
    let vocabulary: Vocabulary
    let unknown: Int32?
    let continuingPrefix: [UInt8]
    let maximumCharacters: Int

    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace) {
        let mark = ids.count
        var characters = 0
        for byte in word where byte & 0xC0 != 0x80 { characters += 1 }
        guard characters <= maximumCharacters else {
            if let unknown { ids.append(unknown) }
            return
        }
        var start = 0
        while start < word.count {
            var found: (id: Int32, end: Int)?
            let prefix = start > 0 ? continuingPrefix : []
            var end = min(word.count, start + max(0, vocabulary.longestPiece - prefix.count))
            while end > start {
                // Only whole characters can be tokens.
                if end < word.count, word[end] & 0xC0 == 0x80 {
                    end -= 1
                    continue
                }
                let id: Int32?
                if prefix.isEmpty {
                    id = vocabulary.id(UnsafeBufferPointer(rebasing: word[start..<end]))
                } else {
                    workspace.bytes.removeAll(keepingCapacity: true)
                    workspace.bytes += prefix
                    workspace.bytes += word[start..<end]
                    id = vocabulary.id(workspace.bytes)
                }
                if let id {
                    found = (id, end)
                    break
                }
                end -= 1
            }
            guard let found else {
                ids.removeLast(ids.count - mark)
                if let unknown { ids.append(unknown) }
                return
            }
            ids.append(found.id)
            start = found.end
        }
    }
}

/// `WordLevel`: whole words only.
struct WordLevel: TokenModel {
    let vocabulary: Vocabulary
    let unknown: Int32?

    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace) {
        if let id = vocabulary.id(word) ?? unknown { ids.append(id) }
    }
}
