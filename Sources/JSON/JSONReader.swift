import Support

/// A JSON value with its place in a file, read as typed values. Every error names the file and the key path.
///
/// A key whose value is `null` counts as absent, as in Python's configurations.
package struct JSONReader: Sendable, Hashable {
    package let value: JSONValue
    package let file: String
    /// Keys and indexes from the top of the document, as in `pre_tokenizer.pretokenizers[0].pattern`; empty at the top.
    package let path: String

    package init(_ value: JSONValue, file: String, path: String = "") {
        self.value = value
        self.file = file
        self.path = path
    }

    /// Parses a document; `file` is its name in messages.
    package init(parsing bytes: [UInt8], file: String, duplicateKeys: JSONParser.DuplicateKeys = .refused)
        throws(JSONError)
    {
        self.init(try Self.parse(bytes, file: file, duplicateKeys), file: file)
    }

    /// Reads and parses a file.
    package init(contentsOf path: String, duplicateKeys: JSONParser.DuplicateKeys = .refused) throws(JSONError) {
        self.init(try Self.parse(Self.bytes(of: path), file: path, duplicateKeys), file: path)
    }

    private static func parse(_ bytes: [UInt8], file: String, _ duplicateKeys: JSONParser.DuplicateKeys)
        throws(JSONError) -> JSONValue
    {
        do {
            return try JSONParser.parse(bytes, duplicateKeys: duplicateKeys)
        } catch {
            throw .malformed(file: file, error)
        }
    }

    /// Larger files are not configurations or tokenizers.
    private static let largestFile = 1 << 30

    private static func bytes(of path: String) throws(JSONError) -> [UInt8] {
        do {
            return try RegularFile(path: path).contents(limit: largestFile)
        } catch {
            throw .unreadable(file: path, reason: error.description)
        }
    }

    // MARK: Members and elements

    /// The members; empty if the value is not an object.
    package var members: JSONObject { value.objectValue ?? [:] }

    package func has(_ key: String) -> Bool { value(key) != nil }

    /// True where the key is there and says `null`.
    package func isNull(_ key: String) -> Bool { value[key]?.isNull == true }

    /// The value for `key`; `nil` if absent or `null`.
    package func value(_ key: String) -> JSONValue? {
        guard let value = value[key], !value.isNull else { return nil }
        return value
    }

    /// The member for `key`; `nil` if absent or `null`.
    package func memberIfPresent(_ key: String) throws(JSONError) -> JSONReader? {
        guard case .object = value else { throw wrongType(expected: "an object") }
        return value(key).map { JSONReader($0, file: file, path: path(of: key)) }
    }

    package func member(_ key: String) throws(JSONError) -> JSONReader {
        guard let member = try memberIfPresent(key) else { throw .missingKey(file: file, key: path(of: key)) }
        return member
    }

    /// The elements of a list.
    package func elements() throws(JSONError) -> [JSONReader] {
        guard case .array(let values) = value else { throw wrongType(expected: "a list") }
        return values.enumerated().map { JSONReader($1, file: file, path: "\(path)[\($0)]") }
    }

    /// The key path of a member.
    package func path(of key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    // MARK: The value itself

    package func int() throws(JSONError) -> Int {
        try inRange(try converted("an integer", \.intValue))
    }
    package func double() throws(JSONError) -> Double { try converted("a number", \.doubleValue) }
    /// A number between two others, both included.
    package func double(in range: ClosedRange<Double>) throws(JSONError) -> Double {
        let value = try double()
        guard range.contains(value) else {
            throw wrongType(expected: "a number from \(range.lowerBound) to \(range.upperBound)", actual: "\(value)")
        }
        return value
    }
    package func bool() throws(JSONError) -> Bool { try converted("a boolean", \.boolValue) }
    package func string() throws(JSONError) -> String { try converted("a string", \.stringValue) }
    /// A list of integers. A single integer counts as a list of one: `eos_token_id` comes both ways.
    package func ints() throws(JSONError) -> [Int] {
        try converted("a list of integers") { $0.intArray ?? $0.intValue.map { [$0] } }.map(inRange)
    }
    package func doubles() throws(JSONError) -> [Double] { try converted("a list of numbers", \.doubleArray) }
    package func strings() throws(JSONError) -> [String] { try converted("a list of strings", \.stringArray) }
    /// A list of lists of integers: `alignment_heads`, `forced_decoder_ids`.
    package func intLists() throws(JSONError) -> [[Int]] {
        try converted("a list of lists of integers") { $0.elements(\.intArray) }
            .map { list throws(JSONError) in try list.map(inRange) }
    }
    /// This reader, if its value is an object.
    package func object() throws(JSONError) -> JSONReader {
        _ = try converted("an object", \.objectValue)
        return self
    }

    /// Integers that every JSON reader has exactly (RFC 8259, section 6). No size or token id is larger, and sums and small
    /// multiples of these do not overflow.
    package static let integers = -(1 << 53)...(1 << 53)

    private func inRange(_ value: Int) throws(JSONError) -> Int {
        guard Self.integers.contains(value) else {
            throw wrongType(expected: "an integer between -2^53 and 2^53", actual: "\(value)")
        }
        return value
    }

    package func converted<T>(_ expected: String, _ convert: (JSONValue) -> T?) throws(JSONError) -> T {
        guard let result = convert(value) else { throw wrongType(expected: expected) }
        return result
    }

    /// The error for a value that is not `expected`; `actual` describes it where its kind does not say enough.
    package func wrongType(expected: String, actual: String? = nil) -> JSONError {
        .wrongType(file: file, key: path, expected: expected, actual: actual ?? value.kind)
    }

    // MARK: Members of a type

    package func int(_ key: String) throws(JSONError) -> Int { try member(key).int() }
    package func int(_ key: String, default fallback: Int) throws(JSONError) -> Int {
        try intIfPresent(key) ?? fallback
    }
    package func intIfPresent(_ key: String) throws(JSONError) -> Int? { try memberIfPresent(key)?.int() }

    package func double(_ key: String) throws(JSONError) -> Double { try member(key).double() }
    package func double(_ key: String, default fallback: Double) throws(JSONError) -> Double {
        try doubleIfPresent(key) ?? fallback
    }
    package func doubleIfPresent(_ key: String) throws(JSONError) -> Double? { try memberIfPresent(key)?.double() }
    package func doubleIfPresent(_ key: String, in range: ClosedRange<Double>) throws(JSONError) -> Double? {
        try memberIfPresent(key)?.double(in: range)
    }

    package func string(_ key: String) throws(JSONError) -> String { try member(key).string() }
    package func string(_ key: String, default fallback: String) throws(JSONError) -> String {
        try stringIfPresent(key) ?? fallback
    }
    package func stringIfPresent(_ key: String) throws(JSONError) -> String? { try memberIfPresent(key)?.string() }

    package func bool(_ key: String) throws(JSONError) -> Bool { try member(key).bool() }
    package func bool(_ key: String, default fallback: Bool) throws(JSONError) -> Bool {
        try boolIfPresent(key) ?? fallback
    }
    package func boolIfPresent(_ key: String) throws(JSONError) -> Bool? { try memberIfPresent(key)?.bool() }

    package func ints(_ key: String) throws(JSONError) -> [Int] { try member(key).ints() }
    package func ints(_ key: String, default fallback: [Int]) throws(JSONError) -> [Int] {
        try memberIfPresent(key)?.ints() ?? fallback
    }

    package func doubles(_ key: String, default fallback: [Double]) throws(JSONError) -> [Double] {
        try doublesIfPresent(key) ?? fallback
    }
    package func doublesIfPresent(_ key: String) throws(JSONError) -> [Double]? { try memberIfPresent(key)?.doubles() }

    package func strings(_ key: String, default fallback: [String]) throws(JSONError) -> [String] {
        try memberIfPresent(key)?.strings() ?? fallback
    }

    package func intLists(_ key: String) throws(JSONError) -> [[Int]] { try member(key).intLists() }
    package func intLists(_ key: String, default fallback: [[Int]]) throws(JSONError) -> [[Int]] {
        try memberIfPresent(key)?.intLists() ?? fallback
    }

    /// A nested object, such as `text_config`.
    package func object(_ key: String) throws(JSONError) -> JSONReader { try member(key).object() }
    package func object(_ key: String, default fallback: JSONObject) throws(JSONError) -> JSONReader {
        try objectIfPresent(key) ?? JSONReader(.object(fallback), file: file, path: path(of: key))
    }
    package func objectIfPresent(_ key: String) throws(JSONError) -> JSONReader? { try memberIfPresent(key)?.object() }
}
