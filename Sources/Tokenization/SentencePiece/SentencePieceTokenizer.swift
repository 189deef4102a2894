extension SentencePieceModel {
    /// User-defined pieces, which are matched before everything else.
    var userDefinedTrie: ByteTrie {
        var trie = ByteTrie()
        for (id, piece) in pieces.enumerated() where piece.type == .userDefined {
            trie.insert(piece.text, value: Int32(id))
        }
        return trie
    }

    var vocabulary: Vocabulary { Vocabulary(pieces.enumerated().map { ($1.text, $0) }) }

    /// Byte pieces by byte; nil when the model has none.
    private func byteTokens(_ vocabulary: Vocabulary) -> [Int32?]? {
        pieces.contains { $0.type == .byte } ? BytePairEncoding.byteTokens(of: vocabulary) : nil
    }

    func makeModel() -> any SegmentingModel {
        let vocabulary = vocabulary
        let bytes = byteTokens(vocabulary)
        switch algorithm {
        case .bytePair: return SentencePieceBPE(self, vocabulary: vocabulary, byteTokens: bytes)
        case .unigram:
            let normal = pieces.filter { $0.type == .normal }.map(\.score)
            let highest = normal.max() ?? 0
            let scores = pieces.map { piece in
                piece.type == .userDefined ? Double(Float(piece.text.count) * highest - 0.1) : Double(piece.score)
            }
            let types = pieces.map(\.type)
            return UnigramModel(
                vocabulary: vocabulary, scores: scores, unknown: unknown.map(Int32.init), byteTokens: bytes,
                lowestScore: Double(normal.min() ?? 0),
                followsSentencePiece: true, isInTrie: { types[Int($0)] == .normal || types[Int($0)] == .userDefined })
        }
    }

    /// - Parameters:
    ///   - findsControls: encodes control pieces in a text as their ids, which SentencePiece itself never does.
    func makeTokenizer(addsBOS: Bool, addsEOS: Bool, findsControls: Bool = false) -> Tokenizer {
        let added = pieces.enumerated().compactMap { id, piece -> AddedToken? in
            guard !piece.text.isEmpty else { return nil }
            switch piece.type {
            case .control, .unknown:
                return AddedToken(id: id, content: piece.text, isSpecial: true, isSearched: findsControls)
            case .userDefined: return AddedToken(id: id, content: piece.text, isSearched: findsControls)
            case .normal, .unused, .byte: return nil
            }
        }
        return Tokenizer(
            normalizer: SentencePieceNormalizer(self), model: makeModel(),
            postProcessor: SurroundingPostProcessor(
                before: addsBOS ? [bos].compactMap { $0 } : [], after: addsEOS ? [eos].compactMap { $0 } : []),
            decoder: [SentencePieceStage(self)], addedTokens: added)
    }
}
