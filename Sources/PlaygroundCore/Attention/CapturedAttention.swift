import AttentionAnalysis
import AttentionTypes

/// The attention of one kind of one token.
package struct CapturedAttention: Sendable {
    package let kind: AttentionKind
    /// Layers captured, ascending.
    package let layers: [Int]
    package let heads: Int
    package let keys: Int
    private let weights: [AttentionWeights]
    /// Rollout from the encoder's output (the keys) to its input, `[keys, keys]`; empty if there is none.
    private let rollout: [Float]

    /// nil if no attention of that kind was captured, or the layers differ in shape.
    package init?(_ captured: [AttentionWeights], _ kind: AttentionKind = .cross, rollout: [Float] = []) {
        let own = captured.filter { $0.kind == kind && $0.queries > 0 }.sorted { $0.layer < $1.layer }
        guard let first = own.first, first.heads > 0, first.keys > 0,
            own.allSatisfy({ $0.heads == first.heads && $0.keys == first.keys })
        else { return nil }
        self.kind = kind
        layers = own.map(\.layer)
        heads = first.heads
        keys = first.keys
        weights = own
        self.rollout = kind == .cross && rollout.count == keys * keys ? rollout : []
    }

    /// One weight per key, `[keys]`; nil if the selected layer or head was not captured.
    package func profile(layer: LayerChoice, head: HeadChoice) -> [Float]? {
        let row = try? HeadSelection(layer, head, kind: kind, layers: layers).row(of: weights, kind: kind)
        guard head == .rollout, !rollout.isEmpty, let row else { return row }
        var result = [Float](repeating: 0, count: keys)
        for (position, weight) in row.enumerated() where weight != 0 {
            for key in 0..<keys { result[key] += weight * rollout[position * keys + key] }
        }
        return result
    }
}

package enum LayerChoice: Sendable, Hashable {
    /// All captured layers.
    case all
    case layer(Int)
    /// The alignment heads named by the checkpoint.
    case aligned([AttentionHead])

    func includes(_ layer: Int) -> Bool {
        switch self {
        case .all: true
        case .layer(let chosen): chosen == layer
        case .aligned(let heads): heads.contains { $0.layer == layer }
        }
    }
}

package enum HeadChoice: Sendable, Hashable {
    case mean, max
    /// The mean, multiplied by the rollout through the encoder.
    case rollout
    case head(Int)

    var name: String {
        switch self {
        case .mean: "mean"
        case .max: "max"
        case .rollout: "rollout"
        case .head(let head): "\(head)"
        }
    }
}

extension HeadSelection {
    /// Combines the panel's choices of layers and heads; one head of several layers is averaged.
    init(_ layer: LayerChoice, _ head: HeadChoice, kind: AttentionKind, layers: [Int]) {
        let head = head == .rollout ? .mean : head
        self =
            switch (layer, head) {
            case (.all, .mean): .all(.mean)
            case (.all, .max): .all(.max)
            case (.all, .head(let head)): .heads(layers.map { AttentionHead(kind: kind, layer: $0, head: head) }, .mean)
            case (.aligned(let heads), .mean): .heads(heads, .mean)
            case (.aligned(let heads), .max): .heads(heads, .max)
            case (.aligned(let heads), .head(let head)):
                .heads(Set(heads.map(\.layer)).sorted().map { AttentionHead(kind: kind, layer: $0, head: head) }, .mean)
            case (.layer(let layer), .mean): .layer(layer, .mean)
            case (.layer(let layer), .max): .layer(layer, .max)
            case (.layer(let layer), .head(let head)): .single(AttentionHead(kind: kind, layer: layer, head: head))
            case (_, .rollout): .all(.mean)
            }
    }
}
