import AttentionTypes
import Foundation
import NumberFormats

/// Numbers coded as 16-bit floats, two bytes each in little-endian order (base64 in JSON).
@propertyWrapper
package struct HalfFloats: Sendable, Hashable, Codable {
    package var wrappedValue: [Float]

    package init(wrappedValue: [Float]) { self.wrappedValue = wrappedValue }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let bytes = try container.decode(Data.self)
        func invalid(_ problem: String) -> DecodingError {
            .dataCorruptedError(in: container, debugDescription: problem)
        }
        guard bytes.count % 2 == 0 else { throw invalid("half a number") }
        wrappedValue = bytes.withUnsafeBytes { raw in
            stride(from: 0, to: raw.count, by: 2).map {
                HalfPrecision.float(fromF16: UInt16(raw[$0]) | UInt16(raw[$0 + 1]) << 8)
            }
        }
        guard wrappedValue.allSatisfy(\.isFinite) else { throw invalid("a number that is not finite") }
    }

    package func encode(to encoder: any Encoder) throws {
        var bytes = Data(capacity: wrappedValue.count * 2)
        for value in wrappedValue {
            let half = HalfPrecision.f16(value)
            bytes.append(UInt8(truncatingIfNeeded: half))
            bytes.append(UInt8(truncatingIfNeeded: half >> 8))
        }
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }
}

extension AttentionWeights: Codable {
    private enum CodingKeys: CodingKey { case kind, layer, heads, queries, keys, values }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let heads = try container.decode(Int.self, forKey: .heads)
        let queries = try container.decode(Int.self, forKey: .queries)
        let keys = try container.decode(Int.self, forKey: .keys)
        let values = try container.decode(HalfFloats.self, forKey: .values).wrappedValue
        guard (1...4096).contains(heads), (1...1 << 20).contains(queries), (1...1 << 20).contains(keys),
            heads * queries * keys == values.count
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .values, in: container,
                debugDescription: "\(values.count) weights for [\(heads), \(queries), \(keys)]")
        }
        self.init(
            kind: try container.decode(AttentionKind.self, forKey: .kind),
            layer: try container.decode(Int.self, forKey: .layer), heads: heads, queries: queries, keys: keys,
            values: values)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(layer, forKey: .layer)
        try container.encode(heads, forKey: .heads)
        try container.encode(queries, forKey: .queries)
        try container.encode(keys, forKey: .keys)
        try container.encode(HalfFloats(wrappedValue: values), forKey: .values)
    }
}
