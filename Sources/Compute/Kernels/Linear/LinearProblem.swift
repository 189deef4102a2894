import NumberFormats

/// The properties of a `linear` call on which kernel selection depends.
package struct LinearProblem: Sendable, Hashable {
    /// Rows of x.
    package var rows: Int
    /// Output features N.
    package var outputs: Int
    /// Input features K.
    package var inputs: Int
    package var format: ElementFormat
    package var activation: Activation
    /// x's rows start on 16 bytes and K is a multiple of 4.
    package var hasWideRows: Bool
    /// Load path of kernels of the vector profile.
    package var load: LoadPath
    /// The norm applied to x on its way in.
    package var norm: InputNorm.Kind?
    /// Each output is a gate's activation times its partner.
    package var isGated: Bool
    /// `WeightMatrix.rowsPerPanel` of the weight.
    package var rowsPerPanel: Int

    var weightRows: Int { isGated ? 2 * outputs : outputs }

    package init(
        rows: Int, outputs: Int, inputs: Int, format: ElementFormat, activation: Activation = .none, hasWideRows: Bool,
        load: LoadPath = .address, norm: InputNorm.Kind? = nil, isGated: Bool = false, rowsPerPanel: Int = 1
    ) {
        self.rowsPerPanel = rowsPerPanel
        self.load = load
        self.norm = norm
        self.isGated = isGated
        self.rows = rows
        self.outputs = outputs
        self.inputs = inputs
        self.format = format
        self.activation = activation
        self.hasWideRows = hasWideRows
    }
}

/// A norm that `linear` takes of each row of x on its way in.
package struct InputNorm: Sendable {
    /// Raw values are the kernel's codes.
    package enum Kind: UInt32, Sendable, Hashable {
        /// x / √(mean x² + ε) · gamma
        case rootMeanSquare = 1
        /// (x − mean) / √(variance + ε) · gamma + beta
        case layer = 2
    }

    package var kind: Kind
    /// `[1, columns]` f32.
    package var gamma: Tensor
    /// `[1, columns]` f32, of a layer norm.
    package var beta: Tensor?
    package var epsilon: Float

    package static func rootMeanSquare(gamma: Tensor, epsilon: Float) -> InputNorm {
        .init(kind: .rootMeanSquare, gamma: gamma, epsilon: epsilon)
    }
    package static func layer(gamma: Tensor, beta: Tensor, epsilon: Float) -> InputNorm {
        .init(kind: .layer, gamma: gamma, beta: beta, epsilon: epsilon)
    }
}
