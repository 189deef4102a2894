import Regex

/// The unigram language model (Kudo 2018): the segmentation whose tokens' log-probabilities sum highest, by Viterbi.
struct UnigramModel: SegmentingModel {
    let vocabulary: Vocabulary
    let unknown: Int32?
    let byteTokens: [Int32?]?
    private let trie: ByteTrie
    private let scores: [Double]
    private let unknownScore: Double
    private let followsSentencePiece: Bool

    /// The last step of the best path to a position.
    struct Arrival {
        var score: Double
        var start: Int32
        var id: Int32
    }

    /// - Parameters:
    ///   - scores: log-probability by id; `vocabulary` ids index it.
    ///   - followsSentencePiece: rounds path scores to `Float`, as SentencePiece does and tokenizer.json does not.
    ///   - isInTrie: false for ids that are never matched in text (SentencePiece excludes control and unknown pieces).
    init(
        vocabulary: Vocabulary, scores: [Double], unknown: Int32?, byteTokens: [Int32?]?, lowestScore: Double,
        followsSentencePiece: Bool = false,
        isInTrie: (Int32) -> Bool
    ) {
        self.vocabulary = vocabulary
        self.unknown = unknown
        self.byteTokens = byteTokens
        self.scores = scores
        self.followsSentencePiece = followsSentencePiece
        // SentencePiece's penalty for a character that no piece covers.
        unknownScore = lowestScore - 10
        var trie = ByteTrie()
        vocabulary.forEach { piece, id in if isInTrie(id) { trie.insert(piece, value: id) } }
        self.trie = trie
    }

    var looksUpRuns: Bool { !followsSentencePiece }

    @inline(__always)
    private func sum(_ a: Double, _ b: Double) -> Double { followsSentencePiece ? Double(Float(a + b)) : a + b }

    func segments(of word: UnsafeBufferPointer<UInt8>, workspace: inout TokenizerWorkspace) -> [(
        range: Range<Int>, id: Int32
    )] {
        let count = word.count
        guard count > 0 else { return [] }
        workspace.scores.removeAll(keepingCapacity: true)
        for _ in 0...count { workspace.scores.append(Arrival(score: 0, start: -1, id: -1)) }
        var start = 0
        while start < count {
            let here = workspace.scores[start].score
            let length = UTF8Text.scalar(word, at: start).length
            var coversOne = false
            var node: Int32 = 0
            var end = start
            while end < count, let next = trie.step(node, word[end]) {
                node = next
                end += 1
                let id = trie.value(at: node)
                if id < 0 { continue }
                let score = sum(here, scores[Int(id)])
                if workspace.scores[end].start < 0 || score > workspace.scores[end].score {
                    workspace.scores[end] = Arrival(score: score, start: Int32(start), id: id)
                }
                if end - start == length { coversOne = true }
            }
            if !coversOne {
                let end = start + length
                let score = sum(here, unknownScore)
                if workspace.scores[end].start < 0 || score > workspace.scores[end].score {
                    workspace.scores[end] = Arrival(score: score, start: Int32(start), id: unknown ?? -1)
                }
            }
            start += length
        }
        return bestPath(count, workspace.scores)
    }

    /// Follows the best path back; adjacent unknown characters become one token.
    private func bestPath(_ count: Int, _ arrivals: [Arrival]) -> [(range: Range<Int>, id: Int32)] {
        var segments: [(range: Range<Int>, id: Int32)] = []
        var end = count
        while end > 0 {
            let arrival = arrivals[end]
            guard arrival.start >= 0 else { break }
            let start = Int(arrival.start)
            let isUnknown = arrival.id < 0 || arrival.id == unknown
            if isUnknown, let last = segments.last, last.id < 0 {
                segments[segments.count - 1].range = start..<last.range.upperBound
            } else {
                segments.append((start..<end, isUnknown ? -1 : arrival.id))
            }
            end = start
        }
        return segments.reversed()
    }
}
