import AttentionTypes
import Compute

/// One block of a transformer: self-attention, cross-attention and a feed-forward, each between its norms and added to the
/// residual stream. Self-attention or cross-attention may be absent.
package struct TransformerBlock {
    /// The norms around one part: x + output(part(before(x))), then sum(…).
    package struct Norms {
        /// Norm of the part's input.
        var before: (any Normalization)?
        /// Norm of the part's output before it is added.
        var output: (any Normalization)?
        /// Norm of the sum.
        var sum: (any Normalization)?

        /// GPT-2's and Llama's: a norm before the part.
        package static func pre(_ norm: any Normalization) -> Norms { Norms(before: norm) }
        /// The original transformer's and BERT's: a norm behind the addition.
        package static func post(_ norm: any Normalization) -> Norms { Norms(sum: norm) }
        /// Gemma 2's: a norm before the part and one of its output.
        package static func sandwich(before: any Normalization, after: any Normalization) -> Norms {
            Norms(before: before, output: after)
        }
        /// OLMo 2's: a norm of the part's output alone.
        package static func output(_ norm: any Normalization) -> Norms { Norms(output: norm) }
        /// No norm; a parallel feed-forward reads the normalized input of the attention.
        package static var none: Norms { Norms() }
    }

    /// A layer with its norms and, in some architectures, a gate before what it adds.
    package struct Part<Layer> {
        package var layer: Layer
        package var norms: Norms
        package var gate: Gate?

        package init(_ layer: Layer, norms: Norms, gate: Gate? = nil) {
            self.layer = layer
            self.norms = norms
            self.gate = gate
        }

        var needsOutputScratch: Bool { gate != nil || norms.output != nil }

        /// The part's input.
        func input(_ x: Tensor, _ pass: BlockPass) -> any LinearInput {
            guard let norm = norms.before else { return x }
            return NormalizedInput(x, norm: norm, scratch: pass.scratch.normalized(x.rows))
        }

        /// Runs the part on x, `[rows, hiddenSize]` in place.
        func run(
            _ x: Tensor, input: (any LinearInput)? = nil, _ pass: BlockPass,
            _ body: (any LinearInput, ResidualStream) throws -> Void
        ) throws {
            let scratch = needsOutputScratch ? pass.scratch.output(x.rows) : nil
            try body(
                input ?? self.input(x, pass),
                ResidualStream(x, outputNorm: norms.output, gate: gate, scratch: scratch))
            try norms.sum?(x, into: x, on: pass.stream)
        }
    }

    package var selfAttention: Part<Attention>?
    package var crossAttention: Part<Attention>?
    package var feedForward: Part<any FeedForwardBlock>
    /// Attention and feed-forward read the same stream (GPT-J, Falcon, Phi) instead of one after the other.
    package var isParallel: Bool

    package init(
        selfAttention: Part<Attention>? = nil, crossAttention: Part<Attention>? = nil,
        feedForward: Part<any FeedForwardBlock>, isParallel: Bool = false
    ) {
        precondition(
            !isParallel || selfAttention != nil && feedForward.gate == nil && feedForward.norms.output == nil,
            "a parallel feed-forward has neither gate nor output norm")
        self.selfAttention = selfAttention
        self.crossAttention = crossAttention
        self.feedForward = feedForward
        self.isParallel = isParallel
    }

    var attentions: [Attention] { [selfAttention?.layer, crossAttention?.layer].compactMap { $0 } }

    // MARK: Passes

    /// Every position attends to every position, x `[rows, hiddenSize]` in place. `bias` is added to the scores; `masks`
    /// where runs of queries see different keys.
    func encode(_ x: Tensor, bias: AttentionBias?, masks: [MaskRun]?, _ pass: BlockPass) throws {
        try run(x, pass) { attention, input, residual in
            try attention.encode(
                input, bias: bias, masks: masks, addingTo: residual, scratch: pass.scratch.attention, tap: pass.tap,
                on: pass.stream)
        } cross: { attention, input, residual, source in
            try attention.crossPrefill(
                input, source: source, addingTo: residual, scratch: pass.scratch.attention, tap: pass.tap,
                on: pass.stream)
        }
    }

    /// Positions `firstPosition…` attend to themselves and all before them, x `[rows, hiddenSize]` in place; the rows of a
    /// span also to those after them in it.
    func prefill(_ x: Tensor, firstPosition: Int, bias: AttentionBias?, spans: [Range<Int>] = [], _ pass: BlockPass)
        throws
    {
        guard let cache = pass.cache else { preconditionFailure("a prefill needs a cache") }
        try run(x, pass) { attention, input, residual in
            try attention.prefill(
                input, firstPosition: firstPosition, bias: bias, spans: spans, cache: cache, addingTo: residual,
                scratch: pass.scratch.attention, tap: pass.tap, on: pass.stream)
        } cross: { attention, input, residual, source in
            try attention.crossPrefill(
                input, source: source, addingTo: residual, scratch: pass.scratch.attention, tap: pass.tap,
                on: pass.stream)
        }
    }

    /// One new position of each hypothesis, x `[hypotheses, hiddenSize]` in place.
    func decode(_ x: Tensor, step: StepBuffer, bias: DecodeBias?, _ pass: BlockPass) throws {
        guard let cache = pass.cache else { preconditionFailure("a decode step needs a cache") }
        try run(x, pass) { attention, input, residual in
            try attention.decode(
                input, step: step, bias: bias, cache: cache, addingTo: residual, scratch: pass.scratch.attention,
                tap: pass.tap, on: pass.stream)
        } cross: { attention, input, residual, source in
            try attention.crossDecode(
                input, source: source, step: step, addingTo: residual, scratch: pass.scratch.attention, tap: pass.tap,
                on: pass.stream)
        }
    }

    private func run(
        _ x: Tensor, _ pass: BlockPass, attend: (Attention, any LinearInput, ResidualStream) throws -> Void,
        cross: (Attention, any LinearInput, ResidualStream, CrossAttentionView) throws -> Void
    ) throws {
        if isParallel, let attention = selfAttention {
            return try runInParallel(attention, x, pass, attend)
        }
        if let part = selfAttention { try part.run(x, pass) { try attend(part.layer, $0, $1) } }
        var feedForwardRows = [0..<x.rows]
        if let part = crossAttention {
            if let source = pass.source {
                try part.run(x, pass) { try cross(part.layer, $0, $1, source) }
            }
            // Blocks of cross-attention alone add nothing without a source, nor to rows that see nothing of it.
            if selfAttention == nil {
                feedForwardRows = pass.source?.attendingRows.map { $0.clamped(to: 0..<x.rows) } ?? []
            }
        }
        for rows in feedForwardRows where !rows.isEmpty { try feed(x.rows(rows), pass) }
    }

    private func feed(_ x: Tensor, input: (any LinearInput)? = nil, _ pass: BlockPass) throws {
        try feedForward.run(x, input: input, pass) { input, residual in
            try residual.add(on: pass.stream) { sum, out in
                try feedForward.layer(
                    input, hidden: pass.scratch.intermediate(x.rows), residual: sum, into: out, on: pass.stream)
            }
        }
    }

    private func runInParallel(
        _ attention: Part<Attention>, _ x: Tensor, _ pass: BlockPass,
        _ attend: (Attention, any LinearInput, ResidualStream) throws -> Void
    ) throws {
        // The attention changes the stream: both inputs are normalized before it.
        let input = try attention.input(x, pass).resolved(on: pass.stream)
        var other = input
        if let norm = feedForward.norms.before {
            other = pass.scratch.output(x.rows)
            try norm(x, into: other, on: pass.stream)
        }
        try attention.run(x, input: input, pass) { try attend(attention.layer, $0, $1) }
        try feed(x, input: other, pass)
    }
}

/// State that the blocks of a stack share while a pass runs through them.
struct BlockPass {
    let scratch: BlockScratch
    /// Keys and values of the tokens, in decoders.
    var cache: KeyValueCache?
    /// Source of cross-attention; nil while there is none.
    var source: CrossAttentionView?
    let tap: AttentionTap
    let stream: CommandStream
}

/// Scratch memory that the blocks of a stack share.
struct BlockScratch {
    /// `[rows, hiddenSize]`, where some norm comes before a part.
    private let normalizedRows: Slot?
    /// `[rows, scratch columns]` of the feed-forward.
    private let intermediateRows: Slot
    /// `[rows, hiddenSize]`, where the output of some part passes a norm or a gate.
    private let outputRows: Slot?
    let attention: Attention.Scratch

    /// - Parameter hasFinalNorm: reserves the normalized rows for the stack's final norm.
    init(
        _ workspace: Workspace, rows: Int, hiddenSize: Int, blocks: [TransformerBlock], hasFinalNorm: Bool = false,
        phase: String
    ) {
        func parts(_ block: TransformerBlock) -> [(norms: TransformerBlock.Norms, needsOutput: Bool)] {
            [
                block.selfAttention.map { ($0.norms, $0.needsOutputScratch) },
                block.crossAttention.map { ($0.norms, $0.needsOutputScratch) },
                (block.feedForward.norms, block.feedForward.needsOutputScratch || block.isParallel),
            ].compactMap { $0 }
        }
        let all = blocks.flatMap(parts)
        normalizedRows =
            hasFinalNorm || all.contains { $0.norms.before != nil }
            ? workspace.reserve("normalized", rows: rows, columns: hiddenSize, phase: phase) : nil
        intermediateRows = workspace.reserve(
            "intermediate", rows: rows, columns: blocks.map(\.feedForward.layer.scratchColumns).max() ?? 1,
            phase: phase)
        outputRows =
            all.contains(where: \.needsOutput)
            ? workspace.reserve("block output", rows: rows, columns: hiddenSize, phase: phase) : nil
        attention = Attention.Scratch(
            workspace, rows: rows, shapes: blocks.flatMap(\.attentions).map(\.shape), phase: phase)
    }

    func normalized(_ rows: Int) -> Tensor { Self.rows(rows, of: normalizedRows, "normalized rows") }
    func intermediate(_ rows: Int) -> Tensor { intermediateRows.rows(rows) }
    func output(_ rows: Int) -> Tensor { Self.rows(rows, of: outputRows, "the output of a part") }

    private static func rows(_ count: Int, of slot: Slot?, _ purpose: String) -> Tensor {
        guard let slot else { preconditionFailure("no scratch was reserved for \(purpose)") }
        return slot.rows(count)
    }
}
