/// A parsed JSON document.
///
/// Whole numbers stay whole: token ids and sizes are never passed through a floating-point number.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    /// A number with a fraction or exponent, or one too large for `Int`.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// What it is, for messages: "a string", "an object".
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The member called `key` of an object; `nil` when there is none or this is no object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }

    package var isNull: Bool { self == .null }

    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// An integer, also when written like `512.0`.
    package var intValue: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    package var doubleValue: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    package var stringValue: String? {
        guard case .string(let value) = self else { return nil }
        return value
    }

    package var arrayValue: [JSONValue]? {
        guard case .array(let value) = self else { return nil }
        return value
    }

    package var objectValue: [String: JSONValue]? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// A list whose elements are all integers.
    package var intArray: [Int]? { Self.all(arrayValue, \.intValue) }
    /// A list whose elements are all strings.
    package var stringArray: [String]? { Self.all(arrayValue, \.stringValue) }
    /// A list whose elements are all numbers.
    package var doubleArray: [Double]? { Self.all(arrayValue, \.doubleValue) }

    private static func all<T>(_ values: [JSONValue]?, _ convert: (JSONValue) -> T?) -> [T]? {
        guard let values else { return nil }
        var result: [T] = []
        result.reserveCapacity(values.count)
        for value in values {
            guard let element = convert(value) else { return nil }
            result.append(element)
        }
        return result
    }
}

extension JSONValue {
    /// Reads and parses a file.
    ///
    /// - Throws: `CheckpointError.cannotRead`, or `.malformed` with the place in the file.
    package init(contentsOf path: String) throws(CheckpointError) {
        let file = try MappedFile(path: path)
        do {
            self = try withExtendedLifetime(file) { () throws(JSONParser.Failure) in try JSONValue(parsing: file.bytes)
            }
        } catch {
            throw .malformed(file: path, tensor: nil, problem: "not JSON: \(error)")
        }
    }

    /// Parses a document from UTF-8 bytes.
    package init(parsing bytes: UnsafeRawBufferPointer) throws(JSONParser.Failure) {
        var parser = JSONParser(bytes)
        self = try parser.document()
    }

    /// Parses a document from text.
    package init(parsing text: String) throws(JSONParser.Failure) {
        let bytes = Array(text.utf8)
        let result: Result<JSONValue, JSONParser.Failure> = bytes.withUnsafeBytes { buffer in
            Result { () throws(JSONParser.Failure) in try JSONValue(parsing: buffer) }
        }
        self = try result.get()
    }
}
