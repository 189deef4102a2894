/// Failure to read or write conversations.
package enum StorageError: Error, Sendable, Hashable, CustomStringConvertible {
    case failed(operation: String, path: String, reason: String)

    package var description: String {
        switch self {
        case .failed(let operation, let path, let reason):
            "\(operation) \(path): \(reason); free some space or set XDG_DATA_HOME to a folder that can be written"
        }
    }
}
