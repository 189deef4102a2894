import Compute

/// The encoder of a text: embedding, positions, and a bidirectional stack.
package final class TextEncoder {
    package let vocabularySize: Int
    /// Largest number of tokens.
    package let capacity: Int
    private let embedding: TokenEmbedding
    private let relativePositions: RelativePositions?
    private let stack: Encoder
    private let input: SourceInput

    package init(
        vocabularySize: Int, hiddenSize: Int, capacity: Int, embedding: TokenEmbedding,
        relativePositions: RelativePositions? = nil, blocks: [TransformerBlock], finalNorm: (any Normalization)?,
        workspace: Workspace, phase: String = "encoder"
    ) {
        self.vocabularySize = vocabularySize
        self.capacity = capacity
        self.embedding = embedding
        self.relativePositions = relativePositions
        stack = Encoder(
            blocks: blocks, finalNorm: finalNorm, hiddenSize: hiddenSize, rows: capacity, workspace: workspace,
            phase: phase)
        input = SourceInput(capacity: capacity)
    }

    package var layerCount: Int { stack.blocks.count }

    /// Device memory besides weights and workspace.
    package var resources: [any DeviceResource] { [input] + (relativePositions.map { [$0] } ?? []) }

    /// Checks a source before anything runs.
    /// - Throws: `TransformerError` for a source that is empty, too long or outside the vocabulary.
    package func check(_ ids: [Int], mask: [Bool]?, after features: Int = 0, model: String) throws {
        guard !ids.isEmpty, mask.map({ $0.count == ids.count }) ?? true else {
            throw TransformerError.inputShape(
                what: "the source and its mask", expected: [max(ids.count, 1)], actual: [mask?.count ?? 0])
        }
        guard features + ids.count <= capacity else {
            throw TransformerError.contextOverflow(
                model: "\(model)'s encoder", positions: features + ids.count, limit: capacity)
        }
        for id in ids where id < 0 || id >= vocabularySize {
            throw TransformerError.tokenOutOfRange(id: id, vocabulary: vocabularySize)
        }
    }

    /// Issues the encoder over a checked source.
    /// - Parameters:
    ///   - mask: tells padding (false) from tokens.
    ///   - features: `[rows, hiddenSize]`, read before the tokens, in models that are not masked.
    /// - Returns: the output, `[features + tokens, hiddenSize]`, and the mask for cross-attention, `[1, tokens]`, where it excludes
    ///   something.
    package func callAsFunction(
        _ ids: [Int], mask: [Bool]?, after features: Tensor? = nil, tap: AttentionTap, observe: HiddenStateObserver?,
        on stream: CommandStream
    ) throws -> (output: Tensor, mask: Tensor?) {
        precondition(features == nil || mask == nil && relativePositions == nil, "features stand before plain tokens")
        // A mask that excludes nothing is none.
        let mask = input.write(tokens: ids, mask: mask.flatMap { $0.contains(false) ? $0 : nil })
        let x = stack.states((features?.rows ?? 0) + ids.count)
        try embedding(
            input.tokens(count: ids.count), ids: ids[...], firstPosition: 0, after: features, into: x, on: stream)
        if let relativePositions {
            let all = stack.blocks.indices
            for blocks in relativePositions.isPerLayer ? all.map({ $0..<$0 + 1 }) : [all] {
                let bias = try relativePositions.bias(
                    layer: blocks.lowerBound, queries: ids.count, keys: ids.count, mask: mask, on: stream)
                try stack.run(x, blocks: blocks, bias: bias, tap: tap, observe: observe, on: stream)
            }
        } else {
            try stack.run(
                x, bias: mask.map { AttentionBias(mask: $0, queries: ids.count) }, tap: tap, observe: observe,
                on: stream)
        }
        try stack.normalize(x, on: stream)
        try observe?(layerCount, x)
        return (x, mask)
    }
}

/// The source's tokens and mask on their way to the device.
private final class SourceInput: DeviceResource {
    private let capacity: Int
    private let input: InputBuffer

    init(capacity: Int) {
        self.capacity = capacity
        input = InputBuffer(label: "source tokens and mask", byteCount: 8 * capacity)
    }

    var plannedBuffers: [PlannedBuffer] { input.plannedBuffers }
    func allocate(on device: Device) throws { try input.allocate(on: device) }
    func release() { input.release() }

    /// - Returns: the mask as a row to add to scores, `[1, tokens]`.
    func write(tokens: [Int], mask: [Bool]?) -> Tensor? {
        input.buffer.write(tokens.map { UInt32($0) })
        guard let mask else { return nil }
        input.buffer.write(mask.map { $0 ? Float(0) : AttentionBias.excluded }, at: 4 * capacity)
        return Tensor(buffer: input.buffer, byteOffset: 4 * capacity, rows: 1, columns: mask.count)
    }

    func tokens(count: Int) -> Tensor { Tensor(buffer: input.buffer, rows: 1, columns: count, format: .i32) }
}
