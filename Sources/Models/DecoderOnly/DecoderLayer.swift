import Compute
import AttentionTypes
import NumberFormats
import Transformer

/// What the layers of a decoder share while a pass runs through them.
package struct DecoderPass {
    /// Scratch for normalized rows, `[rows, size]`.
    package let normalized: Tensor
    /// Scratch for the feed-forward, `[rows, scratch columns]`.
    package let hidden: Tensor
    package let attention: Attention.Workspace
    package let cache: KeyValueCache
    /// What cross-attention layers read; nil while there is nothing to read.
    package let memory: DecoderMemoryView?
    package let tap: AttentionTap
    package let stream: CommandStream
}

/// One layer of a decoder-only model.
package protocol DecoderLayer {
    var attentionHeads: Int { get }
    var attentionKind: AttentionKind { get }
    /// Columns of feed-forward scratch per row.
    var scratchColumns: Int { get }
    /// Whether what it adds passes a gate, for which scratch is needed.
    var hasGates: Bool { get }
    /// Runs positions `firstPosition…`, x `[rows, size]` in place.
    func prefill(_ x: Tensor, firstPosition: Int, _ pass: DecoderPass) throws
    /// Runs one new position for each hypothesis, x `[hypotheses, size]` in place.
    func decode(_ x: Tensor, step: StepBuffer, _ pass: DecoderPass) throws
}

extension DecoderLayer {
    package var hasGates: Bool { false }
}

/// Self-attention, then a feed-forward, each behind a norm and added to what came in.
package struct PreNormLayer: DecoderLayer {
    let attentionNorm: any Normalization
    let attention: Attention
    let feedForwardNorm: any Normalization
    let feedForward: any FeedForwardBlock

    package var attentionHeads: Int { attention.shape.heads }
    package var attentionKind: AttentionKind { attention.kind }
    package var scratchColumns: Int { feedForward.scratchColumns }

    package func prefill(_ x: Tensor, firstPosition: Int, _ pass: DecoderPass) throws {
        try attentionNorm(x, into: pass.normalized, on: pass.stream)
        try attention.prefill(
            pass.normalized, firstPosition: firstPosition, cache: pass.cache, addingTo: x, workspace: pass.attention,
            tap: pass.tap,
            on: pass.stream)
        try finish(x, pass)
    }

    package func decode(_ x: Tensor, step: StepBuffer, _ pass: DecoderPass) throws {
        try attention.decode(
            NormalizedInput(x, norm: attentionNorm, scratch: pass.normalized), step: step, cache: pass.cache,
            addingTo: x, workspace: pass.attention, tap: pass.tap, on: pass.stream)
        try finish(x, pass)
    }

    private func finish(_ x: Tensor, _ pass: DecoderPass) throws {
        try feedForward(
            NormalizedInput(x, norm: feedForwardNorm, scratch: pass.normalized), hidden: pass.hidden, addingTo: x,
            on: pass.stream)
    }
}
