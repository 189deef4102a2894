/// A JSON file that cannot be read or does not hold what its reader expects. Every case names the file, and the key
/// path where there is one.
package enum JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The operating system refused the file; `reason` is its message.
    case unreadable(file: String, reason: String)
    /// The bytes are not JSON.
    case malformed(file: String, JSONParser.Failure)
    case missingKey(file: String, key: String)
    case wrongType(file: String, key: String, expected: String, actual: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "cannot read \(file): \(reason)"
        case .malformed(let file, let failure):
            "\(file): not JSON: \(failure); the file is damaged or not what its name says, fetch it again"
        case .missingKey(let file, let key):
            "\(file): the key \"\(printable(key))\" is missing"
        case .wrongType(let file, "", let expected, let actual):
            "\(file): the document should be \(expected), but is \(actual)"
        case .wrongType(let file, let key, let expected, let actual):
            "\(file): \"\(printable(key))\" should be \(expected), but is \(actual)"
        }
    }
}

/// Untrusted text for a message: control characters replaced, length bounded.
package func printable(_ text: String, limit: Int = 120) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        if result.unicodeScalars.count >= limit { return result + "…" }
        let isControl = scalar.properties.generalCategory == .control || scalar.properties.generalCategory == .format
        result.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
    }
    return result
}
