/// Errors of reading a tokenizer. Encoding and decoding never fail.
package enum TokenizationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A file that is absent or unreadable.
    case unreadable(file: String, reason: String)
    /// A folder without a tokenizer file.
    case noTokenizer(folder: String, lookedFor: [String])
    /// Bytes that violate the file's format (invalid JSON, truncated protobuf).
    case malformed(file: String, offset: Int, reason: String)
    /// A field that is absent or has an invalid value.
    case field(file: String, field: String, expected: String, actual: String)
    /// A component of an unsupported type.
    case unsupported(file: String, field: String, kind: String, known: [String])
    /// A split pattern that is invalid or uses an unsupported construct.
    case pattern(file: String, field: String, pattern: String, reason: String)
    /// A token that another part of the tokenizer refers to and the vocabulary lacks.
    case missingToken(file: String, field: String, token: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason):
            "cannot read the tokenizer file \(file): \(reason); check the path and its permissions"
        case .noTokenizer(let folder, let names):
            "no tokenizer in \(folder): none of \(names.joined(separator: ", ")) is there; fetch the model's tokenizer files"
        case .malformed(let file, let offset, let reason):
            "\(file) is damaged at byte \(offset): \(reason); fetch the file again"
        case .field(let file, let field, let expected, let actual):
            "\(file): \(field) must be \(expected), found \(actual); the file is damaged or of another kind"
        case .unsupported(let file, let field, let kind, let known):
            "\(file): \(field) is of the unsupported kind \"\(kind)\"; supported: \(known.joined(separator: ", "))"
        case .pattern(let file, let field, let pattern, let reason):
            "\(file): \(field) holds a pattern that cannot be used (\(reason)): \(pattern)"
        case .missingToken(let file, let field, let token):
            "\(file): \(field) needs the token \"\(token)\", which is not in the vocabulary; the file is damaged"
        }
    }
}
