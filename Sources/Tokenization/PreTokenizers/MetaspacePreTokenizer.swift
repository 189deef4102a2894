/// When a mark for a space is put before text that has none.
enum PrependScheme: String, Sendable, CaseIterable {
    case always, never, first
}

/// `Metaspace`: spaces become a visible mark (▁), as SentencePiece has it.
struct MetaspacePreTokenizer: PreTokenizer {
    let mark: [UInt8]
    let scheme: PrependScheme
    let splits: Bool

    func apply(to text: inout PreTokenizedText) {
        text.rewriteWords { word, beginsInput, output in
            let isMarked = word.first == 0x20 || word.starts(with: mark)
            if !isMarked, scheme == .always || scheme == .first && beginsInput { output += mark }
            for byte in word {
                if byte == 0x20 { output += mark } else { output.append(byte) }
            }
        }
        if splits { SplitPreTokenizer(pattern: .literal(mark), behavior: .mergedWithNext).apply(to: &text) }
    }
}
