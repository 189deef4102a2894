import Compute

/// y = x·Wᵀ + b over any weight format, with the activation and the residual addition that follow it in the same kernel.
package struct Linear {
    package let weight: Parameter
    package let bias: Parameter?

    package init(weight: Parameter, bias: Parameter?) {
        self.weight = weight
        self.bias = bias
    }

    /// Declares `weight` and, if asked for, `bias` in a scope.
    package init(_ scope: ParameterScope, inputs: Int, outputs: Int, bias: Bool = true) {
        weight = scope.matrix("weight", outputs: outputs, inputs: inputs)
        self.bias = bias ? scope.vector("bias", count: outputs) : nil
    }

    /// Several linear layers of the same input as one, their outputs end to end.
    /// - Parameter optionalBiases: layers whose bias the checkpoint may lack; zeros stand in for it.
    package init(
        fusing layers: [(name: String, outputs: Int)], in scope: ParameterScope, inputs: Int, bias: Bool,
        optionalBiases: Set<String> = []
    ) {
        weight = scope.matrix(stacking: layers.map { ($0.name + ".weight", $0.outputs) }, inputs: inputs)
        self.bias =
            bias
            ? scope.vector(
                stacking: layers.map { ($0.name + ".bias", $0.outputs) },
                optional: Set(optionalBiases.map { $0 + ".bias" })) : nil
    }

    /// A layer whose checkpoint keeps its weight as `[inputs, outputs]` (GPT-2's "Conv1D").
    package init(transposed scope: ParameterScope, inputs: Int, outputs: Int) {
        weight = scope.transposedMatrix("weight", outputs: outputs, inputs: inputs)
        bias = scope.vector("bias", count: outputs)
    }

    /// out = activation(x·Wᵀ + b) + residual, for x `[rows, inputs]`.
    ///
    /// `outputs` restricts the layer to some of its output features (a part of a fused layer).
    package func callAsFunction(
        _ input: any LinearInput, outputs: Range<Int>? = nil, activation: Activation = .none, residual: Tensor? = nil,
        into out: Tensor,
        on stream: CommandStream
    ) throws {
        let wanted = outputs ?? 0..<weight.rows
        let fused = (input as? NormalizedInput)?.fused(on: stream)
        let x = try fused?.x ?? input.resolved(on: stream)
        // One matrix, unless the parts of a fused layer have different formats.
        for (rows, matrix) in weight.matrices {
            let here = rows.clamped(to: wanted)
            if here.isEmpty { continue }
            let place = here.lowerBound - wanted.lowerBound..<here.upperBound - wanted.lowerBound
            try stream.linear(
                x, norm: fused?.norm,
                weight: matrix.rows(here.lowerBound - rows.lowerBound..<here.upperBound - rows.lowerBound),
                bias: bias?.tensor.columns(here), activation: activation, residual: residual?.columns(place),
                into: out.columns(place))
        }
    }

    /// out = activation(first half of the outputs)·second half, in one dispatch.
    /// - Returns: false, with nothing issued, where the layer is not one matrix.
    func gated(_ input: any LinearInput, activation: Activation, into out: Tensor, on stream: CommandStream) throws
        -> Bool
    {
        let matrices = weight.matrices
        guard matrices.count == 1, let matrix = matrices.first?.matrix else { return false }
        let fused = (input as? NormalizedInput)?.fused(on: stream)
        let x = try fused?.x ?? input.resolved(on: stream)
        try stream.linear(
            x, norm: fused?.norm, weight: matrix, bias: bias?.tensor, activation: activation, isGated: true, into: out)
        return true
    }
}
