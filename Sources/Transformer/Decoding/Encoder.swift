import Compute

/// Receives hidden states `[rows, hiddenSize]` while a pass is being issued: 0 before the first block, i after block i − 1.
package typealias HiddenStateObserver = (_ index: Int, _ state: Tensor) throws -> Void

/// A stack of blocks in which every position attends to every position: the encoder of texts, of sound, and of pictures.
package struct Encoder {
    package let blocks: [TransformerBlock]
    private let finalNorm: (any Normalization)?
    private let states: Slot
    private let scratch: BlockScratch

    /// - Parameters:
    ///   - rows: most positions of one pass.
    ///   - phase: of the workspace; phases that never run at the same time share memory.
    package init(
        blocks: [TransformerBlock], finalNorm: (any Normalization)?, hiddenSize: Int, rows: Int, workspace: Workspace,
        phase: String
    ) {
        self.blocks = blocks
        self.finalNorm = finalNorm
        states = workspace.reserve("encoder states", rows: rows, columns: hiddenSize, phase: phase)
        scratch = BlockScratch(workspace, rows: rows, hiddenSize: hiddenSize, blocks: blocks, phase: phase)
    }

    /// The place of the input and of the output, `[count, hiddenSize]`.
    package func states(_ count: Int) -> Tensor { states.rows(count) }

    /// Runs some blocks over x, `[rows, hiddenSize]` in place.
    /// - Parameters:
    ///   - range: the blocks; all by default.
    ///   - bias: added to the scores; `masks` where runs of positions see different keys.
    ///   - observe: receives the input of each block.
    package func run(
        _ x: Tensor, blocks range: Range<Int>? = nil, bias: AttentionBias? = nil, masks: [MaskRun]? = nil,
        tap: AttentionTap, observe: HiddenStateObserver? = nil, on stream: CommandStream
    ) throws {
        let pass = BlockPass(scratch: scratch, tap: tap, stream: stream)
        for index in range ?? blocks.indices {
            try observe?(index, x)
            try blocks[index].encode(x, bias: bias, masks: masks, pass)
        }
    }

    /// The final norm, in place; nothing where the architecture has none.
    package func normalize(_ x: Tensor, on stream: CommandStream) throws { try finalNorm?(x, into: x, on: stream) }
}
