import Formats

/// The cross-attention of one token in 16 bits per weight: each row in steps of 1/65535 of its largest weight. Half of
/// what was captured, and quick to add up.
public struct CapturedAttention: Sendable {
    /// Layers captured, ascending.
    public let layers: [Int]
    public let heads: Int
    public let keys: Int
    /// `[layers, heads, keys]`.
    private let steps: [UInt16]
    /// Weight of one step, `[layers, heads]`.
    private let scales: [Float]

    /// nil when nothing was captured, or the layers do not agree in shape. The last query row of each is taken.
    init?(_ captured: [AttentionWeights]) {
        let cross = captured.filter { $0.kind == .cross && $0.queries > 0 }.sorted { $0.layer < $1.layer }
        guard let first = cross.first, first.heads > 0, first.keys > 0,
            cross.allSatisfy({ $0.heads == first.heads && $0.keys == first.keys })
        else { return nil }
        layers = cross.map(\.layer)
        heads = first.heads
        keys = first.keys
        let (heads, keys) = (heads, keys)
        var scales: [Float] = []
        steps = [UInt16](unsafeUninitializedCapacity: cross.count * heads * keys) { output, count in
            for weights in cross {
                for head in 0..<heads {
                    weights.row(head: head, query: weights.queries - 1).withUnsafeBufferPointer { row in
                        var top: Float = 0
                        for weight in row where weight > top && weight.isFinite { top = weight }
                        scales.append(top / 65535)
                        let perStep = top > 0 ? 65535 / top : 0
                        for key in 0..<keys { output[count + key] = row[key] > 0 ? UInt16(min(65535, row[key] * perStep).rounded()) : 0 }
                    }
                    count += keys
                }
            }
        }
        self.scales = scales
    }

    public var bytes: Int { steps.count * MemoryLayout<UInt16>.size }

    /// Puts one head's weights, times `share`, into `result`: added up, or the larger of both. `layer` is a place in `layers`.
    private func accumulate(layer: Int, head: Int, share: Float, isMaximum: Bool, into result: inout [Float]) {
        let row = layer * heads + head, start = row * keys, keys = keys
        let scale = scales[row] * share
        steps.withUnsafeBufferPointer { steps in
            result.withUnsafeMutableBufferPointer { result in
                if isMaximum {
                    for key in 0..<keys { result[key] = Swift.max(result[key], Float(steps[start + key]) * scale) }
                } else {
                    for key in 0..<keys { result[key] += Float(steps[start + key]) * scale }
                }
            }
        }
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
        let share = isMaximum ? 1 : 1 / Float(places.count * chosenHeads.count)
        for place in places {
            for head in chosenHeads { accumulate(layer: place, head: head, share: share, isMaximum: isMaximum, into: &result) }
        }
        return result
    }
}
