/// A JSON document as bytes.
///
/// `JSONSerialization` cannot serve here: a vocabulary holds composed and decomposed spellings of one letter as different
/// tokens, and Swift `String` keys compare them equal. Keys and strings therefore stay UTF-8 bytes, in file order.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string([UInt8])
    case array([JSONValue])
    case object([Member])

    struct Member: Sendable {
        let key: [UInt8]
        let value: JSONValue
    }

    /// What this is, for error messages.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
