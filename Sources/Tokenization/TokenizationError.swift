/// What can go wrong while a tokenizer is read. Encoding and decoding themselves never fail.
package enum TokenizationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file is absent or could not be read.
    case unreadable(file: String, reason: String)
    /// The folder holds none of the files a tokenizer can be read from.
    case noTokenizer(folder: String, lookedFor: [String])
    /// The bytes are not what the file's format demands (broken JSON, truncated protobuf).
    case malformed(file: String, offset: Int, reason: String)
    /// A field is absent or holds something else than it must.
    case field(file: String, field: String, expected: String, actual: String)
    /// A component this program does not know.
    case unsupported(file: String, field: String, kind: String, known: [String])
    /// A split pattern that is not a valid, or not a supported, regular expression.
    case pattern(file: String, field: String, pattern: String, reason: String)
    /// A token another part of the tokenizer refers to is not in the vocabulary.
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
