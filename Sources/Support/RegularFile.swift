import Foundation

/// An open regular file. Folders, pipes, sockets and devices are refused without waiting for a writer, and so is the pointer
/// that git-lfs leaves in place of a large file.
package struct RegularFile: ~Copyable {
    package let descriptor: Int32
    package let byteCount: Int

    /// Reason for which a path is not opened or read.
    package enum Problem: Error, Sendable, Hashable, CustomStringConvertible {
        case absent
        case notPermitted
        case folder
        /// The path is a pipe, a socket or a device.
        case special(kind: String)
        /// git-lfs has not downloaded the file of this many bytes.
        case lfsPointer(byteCount: Int?)
        case tooLarge(byteCount: Int, limit: Int)
        /// The system's message.
        case system(String)

        init(code: Int32) {
            self =
                switch code {
                case ENOENT, ENOTDIR: .absent
                case EACCES, EPERM: .notPermitted
                case EISDIR: .folder
                default: .system(String(cString: strerror(code)))
                }
        }

        package var description: String {
            switch self {
            case .absent: "No such file or directory"
            case .notPermitted: "Permission denied"
            case .folder: "it is a folder, not a regular file"
            case .special(let kind): "it is \(kind), not a regular file; save its content to a file first"
            case .lfsPointer(let byteCount):
                "it is a git-lfs pointer, not the file itself\(byteCount.map { " (\(ByteFormat.text($0)))" } ?? ""); "
                    + "run “git lfs pull” in its folder, or download the file"
            case .tooLarge(let byteCount, let limit): "\(byteCount) bytes, more than the limit of \(limit)"
            case .system(let message): message
            }
        }
    }

    package init(path: String) throws(Problem) {
        // A NUL would cut the path at the C boundary and open another file.
        guard !path.utf8.contains(0) else { throw .absent }
        // O_NONBLOCK: opening a pipe that nobody writes to must not wait.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Problem(code: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw Problem(code: code)
        }
        let problem: Problem? =
            switch status.st_mode & S_IFMT {
            case S_IFREG: Self.lfsPointer(descriptor, byteCount: Int(status.st_size))
            case S_IFDIR: .folder
            case S_IFIFO: .special(kind: "a pipe")
            case S_IFSOCK: .special(kind: "a socket")
            default: .special(kind: "a device")
            }
        if let problem {
            close(descriptor)
            throw problem
        }
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// A pointer is a text of at most a kilobyte (git-lfs, docs/spec.md).
    private static func lfsPointer(_ descriptor: Int32, byteCount: Int) -> Problem? {
        guard (1..<1024).contains(byteCount) else { return nil }
        var bytes = [UInt8](repeating: 0, count: byteCount)
        guard pread(descriptor, &bytes, byteCount, 0) == byteCount,
            bytes.starts(with: "version https://git-lfs.github.com/spec/".utf8)
        else { return nil }
        let size = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("size ") }
        return .lfsPointer(byteCount: size.flatMap { Int($0.dropFirst(5)) })
    }

    /// Up to `count` bytes from `offset`; fewer at the end of the file.
    package func bytes(at offset: Int, count: Int) throws(Problem) -> [UInt8] {
        guard offset >= 0, offset < byteCount, count > 0 else { return [] }
        let wanted = min(count, byteCount - offset)
        var failure: Int32 = 0
        let result = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            while filled < wanted {
                let read = read(into: buffer.baseAddress! + filled, count: wanted - filled, at: offset + filled)
                if read < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    return
                }
                if read == 0 { return }
                filled += read
            }
        }
        guard failure == 0 else { throw Problem(code: failure) }
        return result
    }

    /// Bytes read, fewer than `count` where the system gives fewer; −1 with `errno` for a failure.
    private func read(into target: UnsafeMutablePointer<UInt8>, count: Int, at offset: Int) -> Int {
        #if DEBUG
            switch FaultPlan.current.next(.read) {
            case .error(let code):
                errno = code
                return -1
            case .short: return pread(descriptor, target, max(1, count / 2), off_t(offset))
            case nil: break
            }
        #endif
        return pread(descriptor, target, count, off_t(offset))
    }

    /// The whole content.
    package func contents(limit: Int) throws(Problem) -> [UInt8] {
        guard byteCount <= limit else { throw .tooLarge(byteCount: byteCount, limit: limit) }
        return try bytes(at: 0, count: byteCount)
    }
}
