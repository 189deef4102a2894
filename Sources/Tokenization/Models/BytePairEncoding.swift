import Regex

/// Byte-pair encoding (Sennrich et al. 2016): characters joined by the merge of lowest rank, leftmost first, until none applies.
///
/// Symbols form a linked list and candidates a heap, so a word of n characters costs O(n log n).
struct BytePairEncoding: TokenModel {
    let vocabulary: Vocabulary
    /// Rank and result of each pair of ids.
    let merges: PairTable
    var unknown: Int32?
    var fusesUnknown = false
    /// True if a word that is a token is not split further.
    var ignoresMerges = false
    var continuingPrefix: [UInt8] = []
    var wordSuffix: [UInt8] = []
    /// Ids of `<0x00>`…`<0xFF>` for characters outside the vocabulary; nil without byte fallback.
    var byteTokens: [Int32?]?

    /// Ids of single characters below U+0200, which is all a byte-level vocabulary has; -1 where there is none.
    private let smallScalars: [Int32]

    struct Symbol {
        var id: Int32
        var previous: Int32
        var next: Int32
        /// 0 once merged into its left neighbor.
        var length: Int32
    }

    init(vocabulary: Vocabulary, merges: PairTable) {
        self.vocabulary = vocabulary
        self.merges = merges
        smallScalars = (0..<0x200).map { scalar in
            var bytes: [UInt8] = []
            UTF8Text.append(UInt32(scalar), to: &bytes)
            return vocabulary.id(bytes) ?? -1
        }
    }

    /// Ids of the byte tokens of a vocabulary.
    static func byteTokens(of vocabulary: Vocabulary) -> [Int32?] {
        (0..<256).map { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return vocabulary.id(Array("<0x\(digits.count < 2 ? "0" : "")\(digits)>".utf8))
        }
    }

    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace) {
        if ignoresMerges, let id = vocabulary.id(word) {
            ids.append(id)
            return
        }
        workspace.symbols.removeAll(keepingCapacity: true)
        appendCharacters(of: word, to: &workspace)
        merge(&workspace)
        for symbol in workspace.symbols where symbol.length > 0 { ids.append(symbol.id) }
    }

    @inline(__always)
    private func add(_ id: Int32, _ length: Int, to symbols: inout [Symbol]) {
        let index = Int32(symbols.count)
        if index > 0 { symbols[Int(index) - 1].next = index }
        symbols.append(Symbol(id: id, previous: index - 1, next: -1, length: Int32(length)))
    }

    private func appendCharacters(of word: UnsafeBufferPointer<UInt8>, to workspace: inout TokenizerWorkspace) {
        let isPlain = continuingPrefix.isEmpty && wordSuffix.isEmpty
        var pendingUnknown = 0
        var index = 0
        while index < word.count {
            let (scalar, length) = UTF8Text.scalar(word, at: index)
            let character = UnsafeBufferPointer(rebasing: word[index..<index + length])
            let found: Int32?
            if isPlain {
                found =
                    scalar < 0x200
                    ? (smallScalars[Int(scalar)] < 0 ? nil : smallScalars[Int(scalar)]) : vocabulary.id(character)
                workspace.bytes.removeAll(keepingCapacity: true)
            } else {
                workspace.bytes.removeAll(keepingCapacity: true)
                if index > 0 { workspace.bytes += continuingPrefix }
                workspace.bytes += character
                if index + length == word.count { workspace.bytes += wordSuffix }
                found = vocabulary.id(workspace.bytes)
            }
            index += length
            if let found {
                if pendingUnknown > 0, let unknown { add(unknown, pendingUnknown, to: &workspace.symbols) }
                pendingUnknown = 0
                add(found, length, to: &workspace.symbols)
                continue
            }
            if let byteTokens {
                let bytes = isPlain ? Array(character) : workspace.bytes
                if bytes.allSatisfy({ byteTokens[Int($0)] != nil }) {
                    for byte in bytes { add(byteTokens[Int(byte)] ?? 0, 1, to: &workspace.symbols) }
                    continue
                }
            }
            if let unknown {
                if pendingUnknown > 0, !fusesUnknown {
                    add(unknown, pendingUnknown, to: &workspace.symbols)
                    pendingUnknown = 0
                }
                pendingUnknown += length
            }
        }
        if pendingUnknown > 0, let unknown { add(unknown, pendingUnknown, to: &workspace.symbols) }
    }

    private func merge(_ workspace: inout TokenizerWorkspace) {
        let count = workspace.symbols.count
        guard count > 1 else { return }
        if count <= 12 {
            mergeShort(&workspace.symbols)
            return
        }
        workspace.queue.removeAll()
        for left in 0..<count - 1 { push(Int32(left), &workspace) }
        while let candidate = workspace.queue.pop() {
            let left = Int(candidate.left)
            let symbol = workspace.symbols[left]
            guard symbol.length > 0, symbol.next >= 0 else { continue }
            let right = workspace.symbols[Int(symbol.next)]
            guard let merge = merges.value(PairTable.key(symbol.id, right.id)), merge.second == candidate.merged else {
                continue
            }
            join(left, &workspace.symbols, into: candidate.merged)
            if symbol.previous >= 0 { push(symbol.previous, &workspace) }
            push(candidate.left, &workspace)
        }
    }

    @inline(__always)
    private func push(_ left: Int32, _ workspace: inout TokenizerWorkspace) {
        let symbol = workspace.symbols[Int(left)]
        guard symbol.next >= 0 else { return }
        if let merge = merges.value(PairTable.key(symbol.id, workspace.symbols[Int(symbol.next)].id)) {
            workspace.queue.push(.init(cost: Double(merge.first), left: left, merged: merge.second, length: 0))
        }
    }

    @inline(__always)
    private func join(_ left: Int, _ symbols: inout [Symbol], into id: Int32) {
        let right = Int(symbols[left].next)
        symbols[left].id = id
        symbols[left].length += symbols[right].length
        symbols[left].next = symbols[right].next
        symbols[right].length = 0
        if symbols[right].next >= 0 { symbols[Int(symbols[right].next)].previous = Int32(left) }
    }

    /// The same without a heap, by a scan of all pairs per merge: faster for words of ordinary length.
    private func mergeShort(_ symbols: inout [Symbol]) {
        while true {
            var best: PairTable.Value?
            var place = 0
            var left = 0
            while symbols[left].next >= 0 {
                let right = Int(symbols[left].next)
                if let merge = merges.value(PairTable.key(symbols[left].id, symbols[right].id)),
                    merge.first < (best?.first ?? .max)
                {
                    best = merge
                    place = left
                }
                left = right
            }
            guard let best else { return }
            join(place, &symbols, into: best.second)
        }
    }
}
