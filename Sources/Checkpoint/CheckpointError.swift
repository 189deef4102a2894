import NumberFormats

/// Errors of checkpoint files. Every case names the file, and the tensor or key if there is one; the description gives
/// the expected and the actual value and the remedy.
package enum CheckpointError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A failed system call on a file; `reason` is the system's message.
    case cannotRead(file: String, reason: String)
    case cannotWrite(file: String, reason: String)
    /// A path that exists but is in no supported format.
    case notACheckpoint(path: String, reason: String)
    /// A file that ends before the data its header describes.
    case truncated(file: String, tensor: String?, needed: Int, available: Int)
    /// A file that violates the rules of its format.
    case malformed(file: String, tensor: String?, problem: String)
    /// A pickle with anything but tensors and plain values.
    case refusedPickle(file: String, item: String)
    /// A well-formed tensor in an encoding this program does not decode.
    case unsupportedFormat(file: String, tensor: String, format: String)
    /// Weights of another program's encoding, or of an adapter.
    case foreignEncoding(file: String, ForeignEncoding)
    case missingTensor(name: String, file: String, similar: [String])
    case shapeMismatch(file: String, tensor: String, expected: [Int], actual: [Int])
    case wrongFormat(file: String, tensor: String, expected: String, actual: ElementFormat)
    /// A read after `release()`.
    case released(file: String)
    case missingKey(file: String, key: String)
    case wrongKeyType(file: String, key: String, expected: String, actual: String)

    package var description: String {
        switch self {
        case .cannotRead(let file, let reason):
            "cannot read \(file): \(reason)"
        case .cannotWrite(let file, let reason):
            "cannot write \(file): \(reason)"
        case .notACheckpoint(let path, let reason):
            "\(path) is not a model this program reads: \(reason)"
        case .truncated(let file, let tensor, let needed, let available):
            "\(file)\(Self.place(tensor)): the file ends too early: \(needed) bytes expected, \(available) found; "
                + "the download or copy was cut short, fetch the file again"
        case .malformed(let file, let tensor, let problem):
            "\(file)\(Self.place(tensor)): \(problem); the file is damaged or not what its name says"
        case .refusedPickle(let file, let item):
            "\(file): its pickle asks for \(item), which is refused: only tensors and plain values are read, and "
                + "nothing is executed; save the state_dict alone, or as safetensors"
        case .unsupportedFormat(let file, let tensor, let format):
            "\(file)\(Self.place(tensor)): elements are stored as \(format), which is not supported; "
                + "use a file in one of \(ElementFormat.allCases.map(\.rawValue).joined(separator: " "))"
        case .foreignEncoding(let file, let encoding):
            "\(file): the weights are \(encoding.name), which is not read here; \(encoding.remedy)"
        case .missingTensor(let name, let file, let similar):
            "\(file): no tensor \"\(name)\""
                + (similar.isEmpty ? "" : "; the nearest names are \(similar.joined(separator: ", "))")
        case .shapeMismatch(let file, let tensor, let expected, let actual):
            "\(file)\(Self.place(tensor)): shape \(actual), expected \(expected); the weights do not fit the configuration"
        case .wrongFormat(let file, let tensor, let expected, let actual):
            "\(file)\(Self.place(tensor)): elements are \(actual.rawValue), expected \(expected)"
        case .released(let file):
            "\(file): read after the checkpoint was released; open it again"
        case .missingKey(let file, let key):
            "\(file): the key \"\(key)\" is missing"
        case .wrongKeyType(let file, let key, let expected, let actual):
            "\(file): \"\(key)\" should be \(expected), but is \(actual)"
        }
    }

    private static func place(_ tensor: String?) -> String {
        tensor.map { ", tensor \"\($0)\"" } ?? ""
    }
}
