/// A parsed JSON value.
///
/// Integers stay integers (`10` and `10.0` are different values): token ids and sizes never pass through a
/// floating-point number. Strings keep the bytes of the document: Swift compares composed and decomposed spellings
/// as equal, but `utf8` tells them apart, which vocabularies need.
package enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int)
    /// A number with a fraction or an exponent, or one too large for `Int`.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// The kind of value, for messages: "a string", "an object".
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

    /// The member named `key` of an object; `nil` if there is none or the value is not an object.
    package subscript(key: String) -> JSONValue? { objectValue?[key] }

    package var isNull: Bool { if case .null = self { true } else { false } }

    package var boolValue: Bool? {
        guard case .bool(let value) = self else { return nil }
        return value
    }

    /// An integer, also one written as `512.0`.
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

    package var objectValue: JSONObject? {
        guard case .object(let value) = self else { return nil }
        return value
    }

    /// The elements of a list of integers.
    package var intArray: [Int]? { elements(\.intValue) }
    /// The elements of a list of numbers.
    package var doubleArray: [Double]? { elements(\.doubleValue) }
    /// The elements of a list of strings.
    package var stringArray: [String]? { elements(\.stringValue) }

    /// The elements of a list, each converted; `nil` if this is not a list or one of them does not convert.
    func elements<T>(_ convert: (JSONValue) -> T?) -> [T]? {
        guard let values = arrayValue else { return nil }
        let converted = values.compactMap(convert)
        return converted.count == values.count ? converted : nil
    }
}
