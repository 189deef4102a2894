/// A model that encodes one word as token ids (tokenizer.json `model`).
protocol TokenModel: Sendable {
    var vocabulary: Vocabulary { get }
    /// Appends the ids of the word.
    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace)
}

/// A model whose tokens are ranges of the word, and which reports the ranges without a token.
protocol SegmentingModel: TokenModel {
    var unknown: Int32? { get }
    /// Ids of the 256 byte tokens; nil without byte fallback.
    var byteTokens: [Int32?]? { get }
    /// The tokens' ranges in order; id -1 for a run of characters without a token.
    func segments(of word: UnsafeBufferPointer<UInt8>, workspace: inout TokenizerWorkspace) -> [(
        range: Range<Int>, id: Int32
    )]
    /// True if a run without a token is looked up once more as a whole, as in tokenizer.json's unigram.
    var looksUpRuns: Bool { get }
}

extension SegmentingModel {
    var looksUpRuns: Bool { false }

    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace) {
        for segment in segments(of: word, workspace: &workspace) {
            if segment.id >= 0 {
                ids.append(segment.id)
                continue
            }
            let bytes = UnsafeBufferPointer(rebasing: word[segment.range])
            if looksUpRuns, let id = vocabulary.id(bytes) {
                ids.append(id)
            } else if let byteTokens, bytes.allSatisfy({ byteTokens[Int($0)] != nil }) {
                for byte in bytes { ids.append(byteTokens[Int(byte)] ?? 0) }
            } else if let unknown {
                ids.append(unknown)
            }
        }
    }
}

/// A model that segments by one vocabulary and takes ids from another (Marian's `vocab.json` over two SentencePiece models).
struct RenumberedModel: TokenModel {
    let segmentation: any SegmentingModel
    let vocabulary: Vocabulary
    let unknown: Int32

    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace) {
        for segment in segmentation.segments(of: word, workspace: &workspace) {
            ids.append(vocabulary.id(UnsafeBufferPointer(rebasing: word[segment.range])) ?? unknown)
        }
    }
}

/// Buffers of one call of `encode`, so that words do not allocate.
struct TokenizerWorkspace {
    var symbols: [BytePairEncoding.Symbol] = []
    var queue = MergeQueue()
    var bytes: [UInt8] = []
    var scores: [UnigramModel.Arrival] = []
}
