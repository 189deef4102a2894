import Foundation

/// A plain reader of the large set's safetensors files, so that the arithmetic above the engine is tested without the
/// engine's own checkpoint code.
package struct ReferenceTensors {
    package struct Tensor {
        package let shape: [Int]
        package let values: [Float]
        package var integers: [Int] { values.map { Int($0) } }
    }

    private let entries: [String: (type: String, shape: [Int], range: Range<Int>)]
    private let body: Data

    /// The presence of a file of the large set; tests that need it are skipped otherwise.
    package static func exists(_ path: String) -> Bool { Fixtures.available && Fixtures.contains(path) }

    package init(_ path: String) throws {
        let data = try Data(contentsOf: Fixtures.model(path))
        let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
        let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]] ?? [:]
        var entries: [String: (type: String, shape: [Int], range: Range<Int>)] = [:]
        for (name, entry) in header {
            guard let type = entry["dtype"] as? String, let shape = entry["shape"] as? [Int],
                let offsets = entry["data_offsets"] as? [Int], offsets.count == 2
            else { continue }
            entries[name] = (type, shape, offsets[0]..<offsets[1])
        }
        self.entries = entries
        body = data.subdata(in: (8 + length)..<data.count)
    }

    package var names: [String] { entries.keys.sorted() }

    /// A tensor as floats (I64 tensors of the fixtures hold small ids).
    package subscript(_ name: String) -> Tensor {
        guard let entry = entries[name] else { preconditionFailure("no tensor \(name) in the fixture") }
        let values: [Float] = body.subdata(in: entry.range).withUnsafeBytes { bytes in
            switch entry.type {
            case "F32": return (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
            case "I64":
                return (0..<bytes.count / 8).map { Float(bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self)) }
            default: preconditionFailure("tensor \(name) is \(entry.type)")
            }
        }
        return Tensor(shape: entry.shape, values: values)
    }

    /// A JSON file of the fixtures.
    package static func json(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: Fixtures.model(path))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }
}
