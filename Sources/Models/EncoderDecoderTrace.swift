import Formats
import Transformer

/// A model that reads its input once with an encoder and writes tokens with a decoder that attends to it.
public protocol EncoderDecoderModel: Model {
    var tap: AttentionTap? { get }
    /// Positions left after the tokens so far.
    var positionsLeft: Int { get }
    /// The encoder's output of the last run, `[positions, size]`; valid until the decoder runs.
    func readEncoderOutput() throws -> (shape: [Int], values: [Float])
    /// Starts decoding anew; logits by prompt row.
    func start(tokens: [Int], hypotheses: Int, logitRows: Set<Int>) throws -> [Int: [Float]]
    /// Continues each hypothesis by one token.
    func advance(tokens: [Int], parents: [Int]?) throws -> (logits: [[Float]], attention: [[AttentionWeights]])
}

/// A named result of a trace, as it goes into a file.
public struct TraceTensor: Sendable {
    public enum Values: Sendable {
        case floats([Float])
        case integers([Int])
    }

    public let name: String
    public let shape: [Int]
    public let values: Values

    public init(_ name: String, shape: [Int], floats: [Float]) {
        self.name = name
        self.shape = shape
        values = .floats(floats)
    }

    public init(_ name: String, integers: [Int]) {
        self.name = name
        shape = [integers.count]
        values = .integers(integers)
    }

    init(_ name: String, _ attention: AttentionWeights) {
        self.init(name, shape: [attention.heads, attention.queries, attention.keys], floats: attention.values)
    }
}

/// What a trace writes down, and how far it goes.
public struct TraceOptions: Sendable {
    /// Tokens to generate by raw argmax.
    public var maximumTokens = 32
    /// Tokens that end the run; none by default, as in the reference fixtures.
    public var endTokens: Set<Int> = []
    public var selection = AttentionTap.Selection.everything
    /// Query rows kept of the encoder's attention.
    public var encoderRows = AttentionTap.QueryRows.all

    public init() {}
}

extension EncoderDecoderModel {
    /// A greedy run that writes down what the model computed: `enc.attn.L`, `enc.out`, then for each step `stepN.logits`
    /// `[queries, vocabulary]`, `stepN.self.L` and `stepN.cross.L` `[heads, queries, keys]` (step 0 is the whole prompt),
    /// and `generated_ids` last.
    public func trace(
        start prompt: [Int], options: TraceOptions, encode: () throws -> Void, emit: (TraceTensor) throws -> Void
    ) throws {
        guard let tap else { throw ModelError.notLoaded(model: "the model") }
        let before = (tap.selection, tap.queryRows)
        defer {
            (tap.selection, tap.queryRows) = before
            tap.releaseRows()
        }
        tap.selection = options.selection
        tap.queryRows = options.encoderRows
        try encode()
        for attention in tap.takeRows() { try emit(TraceTensor("enc.attn.\(attention.layer)", attention)) }
        let output = try readEncoderOutput()
        try emit(TraceTensor("enc.out", shape: output.shape, floats: output.values))

        tap.queryRows = .all
        let first = try start(tokens: prompt, hypotheses: 1, logitRows: Set(prompt.indices))
        tap.queryRows = .none
        var rows = prompt.indices.compactMap { first[$0] }
        var attention = tap.takeRows()
        var generated: [Int] = []
        var step = 0
        while true {
            let vocabulary = rows[0].count
            try emit(TraceTensor("step\(step).logits", shape: [rows.count, vocabulary], floats: rows.flatMap { $0 }))
            for weights in attention { try emit(TraceTensor("step\(step).\(weights.kind.rawValue).\(weights.layer)", weights)) }
            guard let last = rows.last, generated.count < options.maximumTokens else { break }
            let next = last.indices.max { last[$0] < last[$1] } ?? 0
            generated.append(next)
            if generated.count == options.maximumTokens || options.endTokens.contains(next) || positionsLeft == 0 { break }
            let result = try advance(tokens: [next], parents: nil)
            rows = result.logits
            attention = result.attention[0]
            step += 1
        }
        try emit(TraceTensor("generated_ids", integers: generated))
    }
}
