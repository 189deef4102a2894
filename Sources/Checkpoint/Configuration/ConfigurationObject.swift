/// A JSON object of a configuration file that knows where it came from, so that every complaint names file and key.
///
/// A key whose value is `null` counts as absent, as in Python's configurations.
package struct ConfigurationObject: Sendable, Hashable {
    package let file: String
    /// The keys that lead here from the top of the file: `["text_config"]`.
    package let keyPath: [String]
    package let members: [String: JSONValue]

    package init(file: String, keyPath: [String] = [], members: [String: JSONValue]) {
        self.file = file
        self.keyPath = keyPath
        self.members = members
    }

    /// Reads the object in a JSON file.
    package init(contentsOf path: String) throws(CheckpointError) {
        let value = try JSONValue(contentsOf: path)
        guard case .object(let members) = value else {
            throw .malformed(file: path, tensor: nil, problem: "the file is \(value.kind), not an object")
        }
        self.init(file: path, members: members)
    }

    /// Whether there is a value for `key`.
    package func has(_ key: String) -> Bool { value(key) != nil }

    /// The value for `key`; `nil` when absent or `null`. Knows keys that transformers 5 renamed.
    package func value(_ key: String) -> JSONValue? {
        for spelling in [key] + (Self.otherSpellings[key] ?? []) {
            if let value = members[spelling], !value.isNull { return value }
        }
        return nil
    }

    /// Keys spelled one way by transformers 4 and another by transformers 5.
    private static let otherSpellings = ["dtype": ["torch_dtype"], "torch_dtype": ["dtype"]]

    // MARK: Typed values

    package func int(_ key: String) throws(CheckpointError) -> Int { try required(key, .int) }
    package func int(_ key: String, default fallback: Int) throws(CheckpointError) -> Int {
        try optional(key, .int) ?? fallback
    }
    package func intIfPresent(_ key: String) throws(CheckpointError) -> Int? { try optional(key, .int) }

    package func double(_ key: String) throws(CheckpointError) -> Double { try required(key, .double) }
    package func double(_ key: String, default fallback: Double) throws(CheckpointError) -> Double {
        try optional(key, .double) ?? fallback
    }
    package func doubleIfPresent(_ key: String) throws(CheckpointError) -> Double? { try optional(key, .double) }

    package func string(_ key: String) throws(CheckpointError) -> String { try required(key, .string) }
    package func string(_ key: String, default fallback: String) throws(CheckpointError) -> String {
        try optional(key, .string) ?? fallback
    }
    package func stringIfPresent(_ key: String) throws(CheckpointError) -> String? { try optional(key, .string) }

    package func bool(_ key: String) throws(CheckpointError) -> Bool { try required(key, .bool) }
    package func bool(_ key: String, default fallback: Bool) throws(CheckpointError) -> Bool {
        try optional(key, .bool) ?? fallback
    }

    /// A list of integers. A single integer counts as a list of one: `eos_token_id` comes both ways.
    package func ints(_ key: String) throws(CheckpointError) -> [Int] { try required(key, .ints) }
    package func ints(_ key: String, default fallback: [Int]) throws(CheckpointError) -> [Int] {
        try optional(key, .ints) ?? fallback
    }
    package func intsIfPresent(_ key: String) throws(CheckpointError) -> [Int]? { try optional(key, .ints) }

    package func doubles(_ key: String) throws(CheckpointError) -> [Double] { try required(key, .doubles) }
    package func doubles(_ key: String, default fallback: [Double]) throws(CheckpointError) -> [Double] {
        try optional(key, .doubles) ?? fallback
    }

    package func strings(_ key: String) throws(CheckpointError) -> [String] { try required(key, .strings) }
    package func strings(_ key: String, default fallback: [String]) throws(CheckpointError) -> [String] {
        try optional(key, .strings) ?? fallback
    }

    /// A list of lists of integers: `alignment_heads`, `forced_decoder_ids`.
    package func intLists(_ key: String) throws(CheckpointError) -> [[Int]] { try required(key, .intLists) }
    package func intLists(_ key: String, default fallback: [[Int]]) throws(CheckpointError) -> [[Int]] {
        try optional(key, .intLists) ?? fallback
    }

    /// A nested object, such as `text_config`.
    package func object(_ key: String) throws(CheckpointError) -> ConfigurationObject {
        guard let object = try objectIfPresent(key) else { throw .missingKey(file: file, key: place(key)) }
        return object
    }

    package func objectIfPresent(_ key: String) throws(CheckpointError) -> ConfigurationObject? {
        guard let members = try optional(key, .object) else { return nil }
        return ConfigurationObject(file: file, keyPath: keyPath + [key], members: members)
    }

    // MARK: Lookup

    private func required<T>(_ key: String, _ kind: Kind<T>) throws(CheckpointError) -> T {
        guard let value = try optional(key, kind) else { throw .missingKey(file: file, key: place(key)) }
        return value
    }

    private func optional<T>(_ key: String, _ kind: Kind<T>) throws(CheckpointError) -> T? {
        guard let value = value(key) else { return nil }
        guard let converted = kind.convert(value) else {
            throw .wrongKeyType(file: file, key: place(key), expected: kind.name, actual: value.kind)
        }
        return converted
    }

    private func place(_ key: String) -> String { (keyPath + [key]).joined(separator: ".") }
}

/// A type a configuration value can be asked for as.
private struct Kind<T> {
    let name: String
    let convert: (JSONValue) -> T?
}

extension Kind<Int> { static var int: Self { Kind(name: "an integer") { $0.intValue } } }
extension Kind<Double> { static var double: Self { Kind(name: "a number") { $0.doubleValue } } }
extension Kind<String> { static var string: Self { Kind(name: "a string") { $0.stringValue } } }
extension Kind<Bool> { static var bool: Self { Kind(name: "a boolean") { $0.boolValue } } }
extension Kind<[Int]> {
    static var ints: Self {
        Kind(name: "a list of integers") { value in value.intArray ?? value.intValue.map { [$0] } }
    }
}
extension Kind<[Double]> { static var doubles: Self { Kind(name: "a list of numbers") { $0.doubleArray } } }
extension Kind<[String]> { static var strings: Self { Kind(name: "a list of strings") { $0.stringArray } } }
extension Kind<[[Int]]> {
    static var intLists: Self {
        Kind(name: "a list of lists of integers") { value in
            guard let lists = value.arrayValue else { return nil }
            let converted = lists.compactMap(\.intArray)
            return converted.count == lists.count ? converted : nil
        }
    }
}
extension Kind<[String: JSONValue]> { static var object: Self { Kind(name: "an object") { $0.objectValue } } }
