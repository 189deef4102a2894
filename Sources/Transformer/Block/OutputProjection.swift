import Compute

/// The last block's output → logits.
package struct OutputProjection {
    /// A layer and a norm before the vocabulary (BERT's).
    package struct Transform {
        let dense: Linear
        let activation: Activation
        let norm: any Normalization

        package init(dense: Linear, activation: Activation, norm: any Normalization) {
            self.dense = dense
            self.activation = activation
            self.norm = norm
        }
    }

    /// `[vocabulary, hiddenSize]`, possibly with more rows; the embedding itself in tied models.
    let weight: Parameter
    private let bias: Parameter?
    private let scale: Float?
    private let cap: Float?
    private let transform: Transform?

    /// - Parameters:
    ///   - scale: multiplies the states before the vocabulary.
    ///   - cap: bound of the logits, cap · tanh(logit / cap) (Gemma 2).
    package init(
        _ weight: Parameter, bias: Parameter? = nil, scale: Float? = nil, cap: Float? = nil, transform: Transform? = nil
    ) {
        self.weight = weight
        self.bias = bias
        self.scale = scale
        self.cap = cap
        self.transform = transform
    }

    /// Scratch for the states on their way, where something comes before the vocabulary.
    func reserveScratch(_ workspace: Workspace, hiddenSize: Int, phase: String) -> Slot? {
        guard scale != nil || transform != nil else { return nil }
        return workspace.reserve(
            "output states", rows: DecodeStepper.maximumRows, columns: hiddenSize, phase: phase)
    }

    /// Logits `[rows, vocabulary]` of states `[rows, hiddenSize]`.
    func callAsFunction(_ states: Tensor, scratch: Slot?, into logits: Tensor, on stream: CommandStream) throws {
        var states = states
        if let scratch {
            let place = scratch.rows(states.rows)
            if let transform {
                try transform.dense(states, activation: transform.activation, into: place, on: stream)
                try transform.norm(place, into: place, on: stream)
                states = place
            }
            if let scale {
                try stream.convert(states, scale: scale, into: place)
                states = place
            }
        }
        try stream.linear(
            states, weight: weight.matrix.rows(0..<logits.columns), bias: bias?.tensor, into: logits)
        if let cap { try stream.convert(logits, cap: cap, into: logits) }
    }
}
