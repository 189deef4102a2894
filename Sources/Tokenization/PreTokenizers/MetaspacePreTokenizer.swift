/// The rule for a space mark before text that does not begin with one.
enum PrependScheme: String, Sendable, CaseIterable {
    case always, never, first
}

/// `Metaspace`: spaces become a visible mark (▁), as in SentencePiece.
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
