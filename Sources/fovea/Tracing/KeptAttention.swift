import ArgumentParser
import AttentionTypes
import Models
import NumberFormats
import Transformer

/// Attention that a batch keeps, and its form.
struct KeptAttention: Codable, Hashable, Sendable {
    var kinds: [AttentionKind] = AttentionKind.allCases
    /// nil for all.
    var layers: [Int]?
    /// nil for all.
    var heads: [Int]?
    var reduction = AttentionReduction.none
    var element = KeptElement.f16
    var promptRows = KeptPromptRows.last

    var capture: AttentionTap.Selection {
        kinds.reduce(.off) { $0.union(AttentionTap.Selection($1, layers: layers.map(Set.init))) }
    }

    /// The tensors that are kept of one attention tensor `[heads, queries, keys]`.
    /// - Throws: `ProgramError.option` for a head that the model does not have.
    func tensors(of tensor: TraceTensor) throws -> [KeptTensor] {
        guard case .floats(let values) = tensor.values, tensor.shape.count == 3 else { return [] }
        var (count, rows, keys) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
        var floats = values
        if let heads {
            if let wrong = heads.first(where: { $0 >= count }) {
                throw ProgramError.option(
                    name: "--heads", problem: "there is no head \(wrong) in \(tensor.name), which has \(count)")
            }
            floats = heads.flatMap { values[$0 * rows * keys..<($0 + 1) * rows * keys] }
            count = heads.count
        }
        switch reduction {
        case .none:
            return element.tensors(tensor.name, shape: [count, rows, keys], floats)
        case .meanHeads:
            var mean = [Float](repeating: 0, count: rows * keys)
            for head in 0..<count {
                for place in 0..<rows * keys { mean[place] += floats[head * rows * keys + place] }
            }
            if count > 0 { for place in mean.indices { mean[place] /= Float(count) } }
            rows = count > 0 ? rows : 0
            return element.tensors(tensor.name, shape: [rows, keys], mean)
        case .topK(let k):
            return peaks(tensor.name, floats, shape: [count, rows, min(k, keys)], keys: keys)
        case .pointing:
            return peaks(tensor.name, floats, shape: [count, rows], keys: keys)
        }
    }

    /// Bytes of rows that are kept.
    func bytes(heads: Int, rows: Int, keys: Int) -> Int {
        let scale = element == .u8 ? 4 : 0
        switch reduction {
        case .none: return heads * rows * (keys * element.bytesPerWeight + scale)
        case .meanHeads: return rows * (keys * element.bytesPerWeight + scale)
        case .topK(let k): return heads * rows * (min(k, keys) * (element.bytesPerWeight + 4) + scale)
        case .pointing: return heads * rows * (element.bytesPerWeight + 4) + (element == .u8 ? heads * 4 : 0)
        }
    }

    /// The greatest weights of each row and their keys, greatest first; the lower key first where weights are equal.
    private func peaks(_ name: String, _ floats: [Float], shape: [Int], keys: Int) -> [KeptTensor] {
        let kept = shape.count == 3 ? shape[2] : min(1, keys)
        var weights: [Float] = [], places: [Int32] = []
        for row in 0..<(keys > 0 ? floats.count / keys : 0) {
            let start = row * keys
            let order = (0..<keys).sorted { (floats[start + $1], $0) < (floats[start + $0], $1) }
            for key in order.prefix(kept) {
                weights.append(floats[start + key])
                places.append(Int32(key))
            }
        }
        return element.tensors(name, shape: shape, weights) + [KeptTensor(name + ".keys", shape: shape, places)]
    }
}

/// Form in which attention rows are kept.
enum AttentionReduction: Hashable, Sendable, RawRepresentable, Codable, ExpressibleByArgument {
    /// `[heads, queries, keys]`
    case none
    /// The mean over heads, `[queries, keys]`.
    case meanHeads
    /// The k greatest weights of each row, `[heads, queries, k]`, and their keys in `….keys`.
    case topK(Int)
    /// The greatest weight of each row, `[heads, queries]`, and its key in `….keys`: the head's pointing.
    case pointing

    init?(rawValue: String) {
        switch rawValue {
        case "none": self = .none
        case "mean-heads": self = .meanHeads
        case "pointing": self = .pointing
        default:
            guard rawValue.hasPrefix("topk:"), let k = Int(rawValue.dropFirst(5)), k > 0 else { return nil }
            self = .topK(k)
        }
    }

    var rawValue: String {
        switch self {
        case .none: "none"
        case .meanHeads: "mean-heads"
        case .topK(let k): "topk:\(k)"
        case .pointing: "pointing"
        }
    }
}

/// Rows of a prompt's attention that are kept.
enum KeptPromptRows: String, Codable, Hashable, Sendable, CaseIterable, ExpressibleByArgument {
    /// Every row: of decoder-only models the square of the prompt's length.
    case all
    /// The row that the first answer token was chosen from.
    case last

    var queryRows: AttentionTap.QueryRows { self == .all ? .all : .last }
}

/// Number format of the kept weights.
enum KeptElement: String, Codable, Hashable, Sendable, CaseIterable, ExpressibleByArgument {
    case f32, f16
    /// A byte for each weight: weight = byte / 255 · scale, with the scale of each row (its greatest weight) in `….scale`.
    case u8

    func tensors(_ name: String, shape: [Int], _ floats: [Float]) -> [KeptTensor] {
        switch self {
        case .f32: return [KeptTensor(name, shape: shape, floats)]
        case .f16: return [KeptTensor(name, shape: shape, format: .f16, elements: floats.map(HalfPrecision.f16))]
        case .u8:
            let columns = shape.last ?? 1
            var scales: [Float] = [], bytes: [UInt8] = []
            bytes.reserveCapacity(floats.count)
            for start in stride(from: 0, to: floats.count, by: max(columns, 1)) {
                let row = floats[start..<min(start + columns, floats.count)]
                let scale = row.max() ?? 0
                scales.append(scale)
                for value in row { bytes.append(scale > 0 ? UInt8((max(value, 0) / scale * 255).rounded()) : 0) }
            }
            return [
                KeptTensor(name, shape: shape, format: .u8, elements: bytes),
                KeptTensor(name + ".scale", shape: Array(shape.dropLast()), scales),
            ]
        }
    }

    var bytesPerWeight: Int {
        switch self {
        case .f32: 4
        case .f16: 2
        case .u8: 1
        }
    }
}

/// A tensor as it is stored.
struct KeptTensor {
    let name: String
    let shape: [Int]
    let format: ElementFormat
    let bytes: [UInt8]

    init<T: BitwiseCopyable>(_ name: String, shape: [Int], format: ElementFormat, elements: [T]) {
        self.name = name
        self.shape = shape
        self.format = format
        bytes = elements.withUnsafeBytes { Array($0) }
    }

    init(_ name: String, shape: [Int], _ floats: [Float]) {
        self.init(name, shape: shape, format: .f32, elements: floats)
    }

    init(_ name: String, shape: [Int], _ integers: [Int32]) {
        self.init(name, shape: shape, format: .i32, elements: integers)
    }
}
