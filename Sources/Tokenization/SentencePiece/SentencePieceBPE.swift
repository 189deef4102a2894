import Regex

/// SentencePiece's byte-pair encoding: adjacent symbols merge if their joined spelling is a piece, the best score first, then
/// the leftmost. With a heap and a linked list, O(n log n) for a text of n characters.
struct SentencePieceBPE: SegmentingModel {
    let vocabulary: Vocabulary
    let unknown: Int32?
    let byteTokens: [Int32?]?
    private let scores: [Float]
    /// True for ids that a merge may create.
    private let canMerge: [Bool]
    private let userDefined: ByteTrie
    /// Unused pieces, which occur as intermediate steps but not in the result; nil if there are none.
    private let unused: [Bool]?

    init(_ model: SentencePieceModel, vocabulary: Vocabulary, byteTokens: [Int32?]?) {
        self.vocabulary = vocabulary
        self.byteTokens = byteTokens
        unknown = model.unknown.map(Int32.init)
        scores = model.pieces.map(\.score)
        canMerge = model.pieces.map { $0.type == .normal || $0.type == .userDefined || $0.type == .unused }
        unused = model.pieces.contains { $0.type == .unused } ? model.pieces.map { $0.type == .unused } : nil
        userDefined = model.userDefinedTrie
    }

    func segments(of word: UnsafeBufferPointer<UInt8>, workspace: inout TokenizerWorkspace) -> [(
        range: Range<Int>, id: Int32
    )] {
        workspace.symbols.removeAll(keepingCapacity: true)
        workspace.queue.removeAll()
        var starts: [Int] = []
        var frozen: [Bool] = []
        var index = 0
        while index < word.count {
            var length = UTF8Text.scalar(word, at: index).length
            var isFrozen = false
            if !userDefined.isEmpty, let match = userDefined.longest(in: word, at: index) {
                length = match.end - index
                isFrozen = true
            }
            let number = Int32(workspace.symbols.count)
            if number > 0 { workspace.symbols[Int(number) - 1].next = number }
            workspace.symbols.append(.init(id: -1, previous: number - 1, next: -1, length: Int32(length)))
            starts.append(index)
            frozen.append(isFrozen)
            index += length
        }
        guard !workspace.symbols.isEmpty else { return [] }
        /// For unused pieces: the symbols they were merged from, by start and length.
        var parts: [UInt64: Int32] = [:]

        func push(_ left: Int32, _ workspace: inout TokenizerWorkspace) {
            let symbol = workspace.symbols[Int(left)]
            guard symbol.next >= 0, !frozen[Int(left)], !frozen[Int(symbol.next)] else { return }
            let length = symbol.length + workspace.symbols[Int(symbol.next)].length
            guard Int(length) <= vocabulary.longestPiece else { return }
            let start = starts[Int(left)]
            guard let id = vocabulary.id(UnsafeBufferPointer(rebasing: word[start..<start + Int(length)])),
                canMerge[Int(id)]
            else { return }
            workspace.queue.push(.init(cost: -Double(scores[Int(id)]), left: left, merged: id, length: length))
            if let unused, unused[Int(id)] { parts[UInt64(start) << 32 | UInt64(length)] = symbol.length }
        }

        for left in 0..<workspace.symbols.count - 1 { push(Int32(left), &workspace) }
        while let candidate = workspace.queue.pop() {
            let left = Int(candidate.left)
            let symbol = workspace.symbols[left]
            guard symbol.length > 0, symbol.next >= 0 else { continue }
            let right = workspace.symbols[Int(symbol.next)]
            guard symbol.length + right.length == candidate.length else { continue }
            workspace.symbols[Int(symbol.next)].length = 0
            workspace.symbols[left].length = candidate.length
            workspace.symbols[left].next = right.next
            if right.next >= 0 { workspace.symbols[Int(right.next)].previous = candidate.left }
            if symbol.previous >= 0 { push(symbol.previous, &workspace) }
            push(candidate.left, &workspace)
        }

        var segments: [(range: Range<Int>, id: Int32)] = []
        for (number, symbol) in workspace.symbols.enumerated() where symbol.length > 0 {
            var stack = [starts[number]..<starts[number] + Int(symbol.length)]
            while let range = stack.popLast() {
                let found = vocabulary.id(UnsafeBufferPointer(rebasing: word[range]))
                if let found, let unused, unused[Int(found)],
                    let first = parts[UInt64(range.lowerBound) << 32 | UInt64(range.count)]
                {
                    stack.append(range.lowerBound + Int(first)..<range.upperBound)
                    stack.append(range.lowerBound..<range.lowerBound + Int(first))
                } else if let found, found != unknown {
                    segments.append((range, found))
                } else if let last = segments.last, last.id < 0, byteTokens == nil {
                    // Adjacent unknown characters become one token.
                    segments[segments.count - 1].range = last.range.lowerBound..<range.upperBound
                } else {
                    segments.append((range, -1))
                }
            }
        }
        return segments
    }
}
