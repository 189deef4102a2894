import AttentionTypes
import NumberFormats
import Transformer

/// A named result of a trace, as it goes into a file.
package struct TraceTensor: Sendable {
    package enum Values: Sendable {
        case floats([Float])
        case integers([Int])
    }

    package let name: String
    package let shape: [Int]
    package let values: Values

    package init(_ name: String, shape: [Int], floats: [Float]) {
        self.name = name
        self.shape = shape
        values = .floats(floats)
    }

    package init(_ name: String, shape: [Int]? = nil, integers: [Int]) {
        self.name = name
        self.shape = shape ?? [integers.count]
        values = .integers(integers)
    }

    /// `[rows, columns]` of rows all alike in length.
    init(_ name: String, rows: [[Float]]) {
        self.init(name, shape: [rows.count, rows.first?.count ?? 0], floats: rows.flatMap { $0 })
    }

    init(_ name: String, _ attention: AttentionWeights) {
        self.init(name, shape: [attention.heads, attention.queries, attention.keys], floats: attention.values)
    }
}

/// What a trace writes down, and how far it goes.
package struct TraceOptions: Sendable {
    /// Tokens to generate by raw argmax.
    package var maximumTokens = 32
    /// Tokens that end the run; none by default, as in the reference fixtures.
    package var endTokens: Set<Int> = []
    package var selection = AttentionTap.Selection.everything
    /// Query rows kept of the encoder's attention.
    package var encoderRows = AttentionTap.QueryRows.all
    /// Also the encoder's hidden states, `enc.hidden.i`, where the architecture shows them.
    package var includesHiddenStates = true

    package init() {}
}

extension EncoderDecoderModel {
    /// A greedy run that writes down what the model computed: `enc.hidden.i`, `enc.attn.L`, `enc.out`, then for each step
    /// `stepN.logits` `[queries, vocabulary]`, `stepN.self.L` and `stepN.cross.L` `[heads, queries, keys]` (step 0 is the
    /// whole prompt), and `generated_ids` last.
    package func trace(
        start prompt: [Int], options: TraceOptions, encode: () throws -> Void, emit: (TraceTensor) throws -> Void
    ) throws {
        try watching(options) { tap in
            try traceEncoder(tap, encode, emit)
            tap.queryRows = .all
            let first = try start(tokens: prompt, hypotheses: 1, logitRows: Set(prompt.indices))
            tap.queryRows = .none
            var rows = prompt.indices.compactMap { first[$0] }
            var attention = tap.takeRows()
            var generated: [Int] = []
            var step = 0
            while true {
                try emit(TraceTensor("step\(step).logits", rows: rows))
                for weights in attention {
                    try emit(TraceTensor("step\(step).\(weights.kind.rawValue).\(weights.layer)", weights))
                }
                guard let last = rows.last, generated.count < options.maximumTokens else { break }
                let next = last.indices.max { last[$0] < last[$1] } ?? 0
                generated.append(next)
                if generated.count == options.maximumTokens || options.endTokens.contains(next) || positionsLeft == 0 {
                    break
                }
                let result = try advance(tokens: [next], parents: nil)
                rows = result.logits
                attention = result.attention[0]
                step += 1
            }
            try emit(TraceTensor("generated_ids", integers: generated))
        }
    }

    /// One pass over given decoder tokens: what `encode` shows, then `logits` `[queries, vocabulary]`, `self.L` and
    /// `cross.L` `[heads, queries, keys]`, and `dec.hidden.i` where the architecture shows them.
    package func traceForced(
        tokens: [Int], options: TraceOptions, encode: () throws -> Void, emit: (TraceTensor) throws -> Void
    ) throws {
        try watching(options) { tap in
            try traceEncoder(tap, encode, emit)
            tap.queryRows = .all
            let logits = try start(tokens: tokens, hypotheses: 1, logitRows: Set(tokens.indices))
            try emit(TraceTensor("logits", rows: tokens.indices.compactMap { logits[$0] }))
            for state in runner.takeHiddenStates() {
                try emit(TraceTensor("dec.hidden.\(state.index)", shape: state.shape, floats: state.values))
            }
            for weights in tap.takeRows() {
                try emit(TraceTensor("\(weights.kind.rawValue).\(weights.layer)", weights))
            }
        }
    }

    private func traceEncoder(_ tap: AttentionTap, _ encode: () throws -> Void, _ emit: (TraceTensor) throws -> Void)
        throws
    {
        try encode()
        for state in runner.takeHiddenStates() {
            try emit(TraceTensor("enc.hidden.\(state.index)", shape: state.shape, floats: state.values))
        }
        for attention in tap.takeRows() { try emit(TraceTensor("enc.attn.\(attention.layer)", attention)) }
        let output = try readEncoderOutput()
        try emit(TraceTensor("enc.out", shape: output.shape, floats: output.values))
    }

    /// Runs `body` with the tap and the hidden states as the options ask, and puts everything back.
    private func watching(_ options: TraceOptions, _ body: (AttentionTap) throws -> Void) throws {
        let tap = try runner.loaded().tap
        let before = (tap.selection, tap.queryRows)
        defer {
            (tap.selection, tap.queryRows) = before
            tap.releaseRows()
            runner.keepsHiddenStates = false
            _ = runner.takeHiddenStates()
        }
        tap.selection = options.selection
        tap.queryRows = options.encoderRows
        runner.keepsHiddenStates = options.includesHiddenStates
        try body(tap)
    }
}
