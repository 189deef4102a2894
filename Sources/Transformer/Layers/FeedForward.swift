import Compute

/// Two linear layers with an activation between them; the second adds the residual.
package struct FeedForward {
    private let expand: Linear
    private let contract: Linear
    private let activation: Activation
    let hiddenColumns: Int

    /// - Parameter names: the two layers' names in the checkpoint.
    package init(
        _ scope: ParameterScope, names: (String, String) = ("fc1", "fc2"), size: Int, hidden: Int,
        activation: Activation
    ) {
        expand = Linear(scope(names.0), inputs: size, outputs: hidden)
        contract = Linear(scope(names.1), inputs: hidden, outputs: size)
        self.activation = activation
        hiddenColumns = hidden
    }

    /// Of two ready layers; `hidden` is what the first one puts out.
    package init(expand: Linear, contract: Linear, hidden: Int, activation: Activation) {
        self.expand = expand
        self.contract = contract
        self.activation = activation
        hiddenColumns = hidden
    }

    /// out = contract(activation(expand(x))) + residual, with x `[rows, size]` and hidden `[rows, hidden]`.
    package func callAsFunction(
        _ x: any LinearInput, hidden: Tensor, residual: Tensor?, into out: Tensor, on stream: CommandStream
    ) throws {
        try expand(x, activation: activation, into: hidden, on: stream)
        try contract(hidden, residual: residual, into: out, on: stream)
    }
}
