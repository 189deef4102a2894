/// What can go wrong in the app itself; errors of the engine are shown as they come.
package enum PlaygroundError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Conversations cannot be read or written.
    case storage(operation: String, path: String, reason: String)

    package var description: String {
        switch self {
        case .storage(let operation, let path, let reason):
            "\(operation) \(path): \(reason); free some space or set XDG_DATA_HOME to a folder that can be written"
        }
    }
}
