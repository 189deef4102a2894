/// Turns one word into token ids (tokenizer.json `model`).
protocol TokenModel: Sendable {
    var vocabulary: Vocabulary { get }
    /// Appends the ids of the word.
    func tokenize(_ word: UnsafeBufferPointer<UInt8>, into ids: inout [Int32], workspace: inout TokenizerWorkspace)
}

/// Buffers that live as long as one call of `encode`, so that words do not allocate.
struct TokenizerWorkspace {
    var symbols: [BytePairEncoding.Symbol] = []
    var queue = MergeQueue()
    var bytes: [UInt8] = []
    var scores: [UnigramModel.Arrival] = []
}
