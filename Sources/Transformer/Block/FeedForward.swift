import Compute

/// Two linear layers with an activation between them; the second adds the residual.
package struct FeedForward: FeedForwardBlock {
    private let expand: Linear
    private let contract: Linear
    private let activation: Activation
    private let intermediateSize: Int

    package var scratchColumns: Int { intermediateSize }

    /// - Parameter names: the two layers' names in the checkpoint.
    package init(
        _ scope: ParameterScope, names: (String, String) = ("fc1", "fc2"), hiddenSize: Int, intermediateSize: Int,
        activation: Activation
    ) {
        expand = Linear(scope(names.0), inputs: hiddenSize, outputs: intermediateSize)
        contract = Linear(scope(names.1), inputs: intermediateSize, outputs: hiddenSize)
        self.activation = activation
        self.intermediateSize = intermediateSize
    }

    /// A feed-forward of two declared layers; `intermediateSize` is the first one's outputs.
    package init(expand: Linear, contract: Linear, intermediateSize: Int, activation: Activation) {
        self.expand = expand
        self.contract = contract
        self.activation = activation
        self.intermediateSize = intermediateSize
    }

    /// out = contract(activation(expand(x))) + residual, with x `[rows, size]` and hidden `[rows, hidden]`.
    package func callAsFunction(
        _ x: any LinearInput, hidden: Tensor, residual: Tensor?, into out: Tensor, on stream: CommandStream
    ) throws {
        try expand(x, activation: activation, into: hidden, on: stream)
        try contract(hidden, residual: residual, into: out, on: stream)
    }
}
