import Formats

/// The cross-attention of one token in 16-bit floats: half of what was captured, exact to three digits.
public struct CapturedAttention: Sendable {
    /// Layers captured, ascending.
    public let layers: [Int]
    public let heads: Int
    public let keys: Int
    /// `[layers, heads, keys]`.
    private let values: [Float16]

    /// nil when nothing was captured, or the layers do not agree in shape. The last query row of each is taken.
    init?(_ captured: [AttentionWeights]) {
        let cross = captured.filter { $0.kind == .cross && $0.queries > 0 }.sorted { $0.layer < $1.layer }
        guard let first = cross.first, first.heads > 0, first.keys > 0,
            cross.allSatisfy({ $0.heads == first.heads && $0.keys == first.keys })
        else { return nil }
        layers = cross.map(\.layer)
        heads = first.heads
        keys = first.keys
        var values: [Float16] = []
        values.reserveCapacity(cross.count * first.heads * first.keys)
        for weights in cross {
            for head in 0..<weights.heads { values.append(contentsOf: weights.row(head: head, query: weights.queries - 1).lazy.map { Float16($0) }) }
        }
        self.values = values
    }

    public var bytes: Int { values.count * MemoryLayout<Float16>.size }

    /// The weights of one head, `[keys]`. `layer` is a place in `layers`.
    func row(layer: Int, head: Int) -> ArraySlice<Float16> {
        let start = (layer * heads + head) * keys
        return values[start..<start + keys]
    }
}

public enum LayerChoice: Sendable, Hashable {
    /// Over all layers captured.
    case all
    case layer(Int)
}

public enum HeadChoice: Sendable, Hashable {
    case mean, max
    case head(Int)

    var name: String {
        switch self {
        case .mean: "mean"
        case .max: "max"
        case .head(let head): "\(head)"
        }
    }
}

extension CapturedAttention {
    /// One weight per key, `[keys]`, for a choice of layers and heads: the chosen head, or mean or maximum over heads.
    /// Over all layers a single head and the mean are averaged, the maximum is taken of all.
    func profile(layer: LayerChoice, head: HeadChoice) -> [Float] {
        let places: [Int] =
            switch layer {
            case .all: Array(layers.indices)
            case .layer(let number): layers.firstIndex(of: number).map { [$0] } ?? []
            }
        var result = [Float](repeating: 0, count: keys)
        guard !places.isEmpty else { return result }
        let chosenHeads: Range<Int>
        if case .head(let number) = head {
            guard number >= 0 && number < heads else { return result }
            chosenHeads = number..<number + 1
        } else {
            chosenHeads = 0..<heads
        }
        let isMaximum = head == .max
        let share = 1 / Float(places.count * chosenHeads.count)
        for place in places {
            for head in chosenHeads {
                var key = 0
                for weight in row(layer: place, head: head) {
                    let weight = Float(weight)
                    if isMaximum { result[key] = Swift.max(result[key], weight) } else { result[key] += weight * share }
                    key += 1
                }
            }
        }
        return result
    }
}
