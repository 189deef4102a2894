import JSON

/// The key-value section of a GGUF file: `general.architecture`, sizes, the vocabulary.
package struct GGUFMetadata: Sendable, Hashable {
    /// A value; integers of all widths become `Int`, both float widths `Double`.
    package enum Value: Sendable, Hashable {
        case integer(Int)
        /// An unsigned 64-bit value beyond `Int`.
        case large(UInt64)
        case float(Double)
        case bool(Bool)
        /// Bytes that are no UTF-8 are replaced by U+FFFD.
        case string(String)
        case integers([Int])
        case floats([Float])
        case bools([Bool])
        case strings([String])
        case nested([Value])

        /// The kind of value, for messages.
        package var kind: String {
            switch self {
            case .integer, .large: "an integer"
            case .float: "a number"
            case .bool: "a boolean"
            case .string: "a string"
            case .integers: "a list of integers"
            case .floats: "a list of numbers"
            case .bools: "a list of booleans"
            case .strings: "a list of strings"
            case .nested: "a list of lists"
            }
        }
    }

    package let file: String
    /// 2 or 3.
    package let version: Int
    /// In the order of the file.
    package let keys: [String]
    package let values: [String: Value]

    package subscript(key: String) -> Value? { values[key] }

    package func int(_ key: String) throws(CheckpointError) -> Int { try required(key, intIfPresent(key)) }
    package func intIfPresent(_ key: String) throws(CheckpointError) -> Int? {
        guard let value = values[key] else { return nil }
        guard case .integer(let integer) = value else { throw wrong(key, "an integer", value) }
        guard JSONReader.integers.contains(integer) else {
            throw wrong(key, "an integer between -2^53 and 2^53", value)
        }
        return integer
    }

    package func double(_ key: String) throws(CheckpointError) -> Double { try required(key, doubleIfPresent(key)) }
    package func doubleIfPresent(_ key: String) throws(CheckpointError) -> Double? {
        switch values[key] {
        case nil: return nil
        case .float(let number): return number
        case .integer(let integer): return Double(integer)
        case .some(let value): throw wrong(key, "a number", value)
        }
    }

    package func bool(_ key: String, default fallback: Bool) throws(CheckpointError) -> Bool {
        guard let value = values[key] else { return fallback }
        guard case .bool(let bool) = value else { throw wrong(key, "a boolean", value) }
        return bool
    }

    package func string(_ key: String) throws(CheckpointError) -> String { try required(key, stringIfPresent(key)) }
    package func stringIfPresent(_ key: String) throws(CheckpointError) -> String? {
        guard let value = values[key] else { return nil }
        guard case .string(let string) = value else { throw wrong(key, "a string", value) }
        return string
    }

    /// A list of integers; a single integer counts as a list of one (per-layer values come both ways).
    package func ints(_ key: String) throws(CheckpointError) -> [Int] {
        switch values[key] {
        case nil: throw .missingKey(file: file, key: key)
        case .integers(let list) where list.allSatisfy({ JSONReader.integers.contains($0) }): return list
        case .integer(let integer) where JSONReader.integers.contains(integer): return [integer]
        case .some(let value): throw wrong(key, "a list of integers between -2^53 and 2^53", value)
        }
    }

    package func floats(_ key: String) throws(CheckpointError) -> [Float] {
        switch values[key] {
        case nil: throw .missingKey(file: file, key: key)
        case .floats(let list): return list
        case .some(let value): throw wrong(key, "a list of numbers", value)
        }
    }

    package func strings(_ key: String) throws(CheckpointError) -> [String] {
        switch values[key] {
        case nil: throw .missingKey(file: file, key: key)
        case .strings(let list): return list
        case .some(let value): throw wrong(key, "a list of strings", value)
        }
    }

    private func required<T>(_ key: String, _ value: T?) throws(CheckpointError) -> T {
        guard let value else { throw .missingKey(file: file, key: key) }
        return value
    }

    private func wrong(_ key: String, _ expected: String, _ value: Value) -> CheckpointError {
        let actual = if case .integer(let integer) = value { "\(integer)" } else { value.kind }
        return .wrongKeyType(file: file, key: key, expected: expected, actual: actual)
    }
}
