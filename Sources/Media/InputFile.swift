#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open regular file that is not empty. Each other kind of path has its own error.
struct InputFile: ~Copyable {
    let path: String
    let descriptor: Int32
    let byteCount: Int64

    /// - Throws: `fileNotFound`, `isDirectory`, `notPermitted`, `notRegularFile`, `emptyFile`, `unreadable`.
    init(path: String) throws(MediaError) {
        // A NUL would silently cut the path at the C boundary and open another file.
        guard !path.utf8.contains(0) else { throw .fileNotFound(path: path) }
        // O_NONBLOCK: opening a FIFO without a writer must not block.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.error(errno, path: path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw Self.error(code, path: path)
        }
        let problem: MediaError? =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .isDirectory(path: path)
            case S_IFREG: status.st_size == 0 ? .emptyFile(path: path) : nil
            default: .notRegularFile(path: path)
            }
        if let problem {
            close(descriptor)
            throw problem
        }
        self.path = path
        self.descriptor = descriptor
        byteCount = Int64(status.st_size)
    }

    deinit { close(descriptor) }

    static func error(_ code: Int32, path: String) -> MediaError {
        switch code {
        case ENOENT, ENOTDIR: .fileNotFound(path: path)
        case EACCES, EPERM: .notPermitted(path: path)
        case EISDIR: .isDirectory(path: path)
        default: .unreadable(path: path, reason: String(cString: strerror(code)))
        }
    }

    /// Up to `count` bytes from `offset`; fewer at the end of the file.
    func bytes(at offset: Int64, count: Int) throws(MediaError) -> [UInt8] {
        guard offset >= 0, offset < byteCount, count > 0 else { return [] }
        let wanted = Int(min(Int64(count), byteCount - offset))
        var failure: Int32 = 0
        let result = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, filled in
            while filled < wanted {
                let got = pread(
                    descriptor, buffer.baseAddress! + filled, wanted - filled, off_t(offset) + off_t(filled))
                if got < 0 {
                    if errno == EINTR { continue }
                    failure = errno
                    return
                }
                if got == 0 { return }
                filled += got
            }
        }
        guard failure == 0 else { throw Self.error(failure, path: path) }
        return result
    }

    /// The whole content.
    /// - Throws: `fileTooLarge` when there are more than `limit` bytes.
    func contents(limit: Int64) throws(MediaError) -> [UInt8] {
        guard byteCount <= limit else { throw .fileTooLarge(path: path, bytes: byteCount, limit: limit) }
        return try bytes(at: 0, count: Int(byteCount))
    }
}
