import Foundation

/// The target of a path to write to. Symbolic links are followed.
package enum OutputPath: Sendable, Hashable {
    /// A regular file, or a path where there is nothing yet: may be replaced by renaming a complete file.
    case file(String)
    /// A device, a FIFO or a socket: is written to and never replaced.
    case stream(String)
    /// A folder: cannot be written to.
    case folder(String)

    /// Largest number of symbolic links that are followed.
    private static let longestChain = 40

    package init(_ path: String) {
        var path = path
        for _ in 0..<Self.longestChain {
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else { break }
            let folder = (path as NSString).deletingLastPathComponent
            path = target.hasPrefix("/") || folder.isEmpty ? target : folder + "/" + target
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            self = .file(path)
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file(path)
        case S_IFDIR: self = .folder(path)
        default: self = .stream(path)
        }
    }

    package var path: String {
        switch self {
        case .file(let path), .stream(let path), .folder(let path): path
        }
    }

    /// Writes the whole content: a file is either as it was or complete.
    package func write(_ data: Data) throws {
        #if DEBUG
            if case .error(let code) = FaultPlan.current.next(.write) {
                throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EIO)
            }
        #endif
        switch self {
        case .file(let path): try data.write(to: URL(filePath: path), options: .atomic)
        case .stream(let path):
            let output = try FileHandle(forWritingTo: URL(filePath: path))
            try output.write(contentsOf: data)
            try output.close()
        case .folder: throw POSIXError(.EISDIR)
        }
    }
}
