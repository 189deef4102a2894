@testable import Generation

/// A decoder whose logits are a fixed pseudo-random function of the tokens so far: small enough to enumerate every answer.
final class TableDecoder: SequenceDecoder {
    let vocabularySize: Int
    let maximumHypotheses: Int
    private let seed: UInt64
    private let sharpness: Float
    private var prefixes: [[Int]] = []
    private(set) var widths: [Int] = []

    init(vocabulary: Int, seed: UInt64, sharpness: Float = 2, maximumHypotheses: Int = 64) {
        vocabularySize = vocabulary
        self.seed = seed
        self.sharpness = sharpness
        self.maximumHypotheses = maximumHypotheses
    }

    func logits(after prefix: [Int]) -> [Float] {
        var random = RandomSource(seed: prefix.reduce(seed) { ($0 &+ UInt64($1) &+ 1) &* 0x9e37_79b9_7f4a_7c15 })
        return (0..<vocabularySize).map { _ in Float(random.uniform() * 2 - 1) * sharpness }
    }

    func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        prefixes = [[Int]](repeating: prompt, count: hypotheses)
        widths = [hypotheses]
        return DecoderOutput(
            logits: prefixes.map(logits(after:)),
            promptLogits: Dictionary(uniqueKeysWithValues: logitRows.map { ($0, logits(after: Array(prompt[...$0]))) }))
    }

    func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        prefixes = zip(tokens, parents).map { prefixes[$1] + [$0] }
        widths.append(tokens.count)
        return DecoderOutput(logits: prefixes.map(logits(after:)))
    }
}
