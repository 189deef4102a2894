import AttentionTypes
import Transformer

/// A named tensor of a trace.
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

    init(_ name: String, _ state: Decoder.HiddenState) {
        self.init(name, shape: [state.rows, state.columns], floats: state.values)
    }

    /// The attention of a layer of `part`, of all windows where there are several.
    init(_ part: String, layer: Int, _ windows: [AttentionWeights]) {
        guard windows.count > 1, let first = windows.first else {
            self.init("\(part).attn.\(layer)", windows[0])
            return
        }
        self.init(
            "\(part).window_attn.\(layer)", shape: [windows.count, first.heads, first.queries, first.keys],
            floats: windows.flatMap(\.values))
    }

    init(_ name: String, _ attention: AttentionWeights) {
        self.init(name, shape: [attention.heads, attention.queries, attention.keys], floats: attention.values)
    }
}

/// Contents and length of a trace.
package struct TraceOptions: Sendable {
    /// Tokens to generate by raw argmax.
    package var maximumTokens = 32
    /// Tokens that end the run; none by default, as in the reference fixtures.
    package var endTokens: Set<Int> = []
    package var selection = AttentionTap.Selection.everything
    /// Query rows kept of the encoder's attention.
    package var encoderRows = AttentionTap.QueryRows.all
    /// Query rows kept of a prompt's attention.
    package var promptRows = AttentionTap.QueryRows.all
    /// Also hidden states of encoders, towers and prompts.
    package var includesHiddenStates = true
    /// Also logits. Without them, only the logits of the prompt's last row are computed.
    package var includesLogits = true

    package init() {}
}

extension Model {
    /// A greedy run that emits the tensors the model computed: those of `traceEncoding`; hidden states of a prompt,
    /// `hidden.i`; for each step `stepN.logits` `[queries, vocabulary]`, `stepN.self.L` and `stepN.cross.L` `[heads, queries,
    /// keys]` (step 0 is the whole prompt); and `generated_ids` last. The step of the last token is run and emitted.
    /// - Parameters:
    ///   - input: encoded first, where the model takes such input.
    ///   - prompt: the decoder's first tokens.
    package func trace(
        _ input: ModelInput? = nil, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        guard !prompt.isEmpty else { throw TransformerError.inputShape(what: "the prompt", expected: [1], actual: [0]) }
        try watching(options) { tap in
            try traceEncoding(input, prompt: prompt, options: options, emit: emit)
            decoder.keepsHiddenStates = options.includesHiddenStates && !capabilities.needsSource
            tap.queryRows = options.promptRows
            let logitRows = options.includesLogits ? Set(prompt.indices) : [prompt.count - 1]
            let first = try start(tokens: prompt, hypotheses: 1, logitRows: logitRows)
            tap.queryRows = .none
            for state in decoder.takeHiddenStates() { try emit(TraceTensor("hidden.\(state.index)", state)) }
            var rows = prompt.indices.compactMap { first[$0] }
            var attention = AttentionWeights.joiningPieces(tap.takeRows())
            // Each piece of a prompt has kept its own last row.
            if options.promptRows == .last { attention = attention.map(\.lastRow) }
            var generated: [Int] = []
            var step = 0
            while true {
                if options.includesLogits { try emit(TraceTensor("step\(step).logits", rows: rows)) }
                for weights in attention {
                    try emit(TraceTensor("step\(step).\(weights.kind.rawValue).\(weights.layer)", weights))
                }
                guard let last = rows.last, generated.count < options.maximumTokens else { break }
                let next = last.indices.max { last[$0] < last[$1] } ?? 0
                generated.append(next)
                if options.endTokens.contains(next) || positionsLeft == 0 { break }
                let result = try advance(tokens: [next])
                rows = result.logits
                attention = result.attention[0]
                step += 1
            }
            try emit(TraceTensor("generated_ids", integers: generated))
        }
    }

    /// One pass over given decoder tokens: the tensors of `traceEncoding`, then `logits` `[queries, vocabulary]`, `dec.hidden.i`,
    /// `self.L` and `cross.L` `[heads, queries, keys]`.
    package func traceForced(
        _ input: ModelInput?, tokens: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        try watching(options) { tap in
            try traceEncoding(input, prompt: tokens, options: options, emit: emit)
            tap.queryRows = .all
            decoder.keepsHiddenStates = options.includesHiddenStates
            let logits = try start(tokens: tokens, hypotheses: 1, logitRows: Set(tokens.indices))
            try emit(TraceTensor("logits", rows: tokens.indices.compactMap { logits[$0] }))
            for state in decoder.takeHiddenStates() { try emit(TraceTensor("dec.hidden.\(state.index)", state)) }
            for weights in AttentionWeights.joiningPieces(tap.takeRows()) {
                try emit(TraceTensor("\(weights.kind.rawValue).\(weights.layer)", weights))
            }
        }
    }

    /// Encodes an input and emits `enc.hidden.i`, `enc.attn.L`, and `enc.out`; of layers whose attention stays within
    /// windows `enc.window_attn.L` `[windows, heads, queries, keys]`.
    package func traceEncoding(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        guard let input else {
            if capabilities.needsSource { throw TransformerError.nothingEncoded(model: family) }
            return
        }
        let tap = try decoder.loaded().tap
        if case .tokens(let tokens, _) = input { try emit(TraceTensor("input_ids", integers: tokens)) }
        try encode(input)
        for state in decoder.takeHiddenStates() { try emit(TraceTensor("enc.hidden.\(state.index)", state)) }
        for layer in Dictionary(grouping: tap.takeRows(), by: \.layer).sorted(by: { $0.key < $1.key }) {
            try emit(TraceTensor("enc", layer: layer.key, layer.value))
        }
        let output = try decoder.readEncoderOutput()
        try emit(TraceTensor("enc.out", shape: output.shape, floats: output.values))
    }

    /// Runs `body` with the capture and the hidden states that the options name, and puts everything back.
    private func watching(_ options: TraceOptions, _ body: (AttentionTap) throws -> Void) throws {
        let tap = try decoder.loaded().tap
        let before = (tap.selection, tap.queryRows)
        defer {
            (tap.selection, tap.queryRows) = before
            tap.releaseRows()
            decoder.keepsHiddenStates = false
        }
        tap.selection = options.selection
        tap.queryRows = options.encoderRows
        decoder.keepsHiddenStates = options.includesHiddenStates
        try body(tap)
    }
}

extension AttentionWeights {
    /// The attention of the last query, `[heads, 1, keys]`.
    var lastRow: AttentionWeights {
        guard queries > 1 else { return self }
        return AttentionWeights(
            kind: kind, layer: layer, heads: heads, queries: 1, keys: keys,
            values: (0..<heads).flatMap { row(head: $0, query: queries - 1) })
    }

    /// Joins the rows of a prompt that ran in pieces. Earlier pieces saw fewer keys: their rows are 0 beyond them.
    static func joiningPieces(_ pieces: [AttentionWeights]) -> [AttentionWeights] {
        struct Place: Hashable { let kind: AttentionKind, layer: Int }
        var order: [Place] = []
        var byPlace: [Place: [AttentionWeights]] = [:]
        for piece in pieces {
            let place = Place(kind: piece.kind, layer: piece.layer)
            if byPlace[place] == nil { order.append(place) }
            byPlace[place, default: []].append(piece)
        }
        return order.compactMap { place in
            guard let parts = byPlace[place], let first = parts.first else { return nil }
            if parts.count == 1 { return first }
            let keys = parts.map(\.keys).max() ?? 0
            let queries = parts.reduce(0) { $0 + $1.queries }
            var values: [Float] = []
            values.reserveCapacity(first.heads * queries * keys)
            for head in 0..<first.heads {
                for part in parts {
                    for query in 0..<part.queries {
                        values += part.row(head: head, query: query)
                        values += repeatElement(0, count: keys - part.keys)
                    }
                }
            }
            return AttentionWeights(
                kind: place.kind, layer: place.layer, heads: first.heads, queries: queries, keys: keys, values: values)
        }
    }
}
