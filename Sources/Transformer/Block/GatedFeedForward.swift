import Compute

/// The position-wise part of a block.
package protocol FeedForwardBlock {
    /// Columns of scratch it needs per row.
    var scratchColumns: Int { get }
    /// out = block(x) + residual, with x `[rows, size]` and hidden `[rows, scratchColumns]`.
    func callAsFunction(
        _ x: any LinearInput, hidden: Tensor, residual: Tensor?, into out: Tensor, on stream: CommandStream) throws
}

/// A gated feed-forward (Shazeer 2020): contract(activation(gate(x)) · expand(x)).
package struct GatedFeedForward: FeedForwardBlock {
    private let expand: Linear
    private let contract: Linear
    private let activation: Activation
    private let intermediateSize: Int

    /// The three layers' names in a checkpoint.
    package struct Names: Sendable {
        package var gate = "gate_proj"
        package var up = "up_proj"
        package var down = "down_proj"
        /// Gate and expansion as one stored matrix, the gate first.
        package var fused: String?
        package init(fused: String? = nil) { self.fused = fused }
        package init(gate: String, up: String, down: String) {
            self.gate = gate
            self.up = up
            self.down = down
        }
    }

    package init(
        _ scope: ParameterScope, names: Names = .init(), hiddenSize: Int, intermediateSize: Int, activation: Activation,
        bias: Bool = false
    ) {
        expand = Linear(
            fusing: names.fused.map { [($0, 2 * intermediateSize)] }
                ?? [(names.gate, intermediateSize), (names.up, intermediateSize)], in: scope, inputs: hiddenSize,
            bias: bias)
        contract = Linear(scope(names.down), inputs: intermediateSize, outputs: hiddenSize, bias: bias)
        self.activation = activation
        self.intermediateSize = intermediateSize
    }

    /// Gate and expansion side by side.
    package var scratchColumns: Int { 2 * intermediateSize }

    package func callAsFunction(
        _ x: any LinearInput, hidden: Tensor, residual: Tensor?, into out: Tensor, on stream: CommandStream
    ) throws {
        let gate = hidden.columns(0..<intermediateSize)
        if try !expand.gated(x, activation: activation, into: gate, on: stream) {
            try expand(x, into: hidden, on: stream)
            try stream.combine(
                gate, activation: activation, .multiply, hidden.columns(intermediateSize..<2 * intermediateSize),
                into: gate)
        }
        try contract(gate, residual: residual, into: out, on: stream)
    }
}
