import Foundation
import Support

/// A new file that is written from front to back.
package final class OutputFile {
    package let path: String
    package private(set) var size = 0
    private var descriptor: Int32

    /// Creates the file, or continues one: `append` keeps what is there.
    package init(path: String, append: Bool = false) throws(CheckpointError) {
        self.path = path
        descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC), 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(file: path, reason: lastSystemError()) }
        if append { size = Int(lseek(descriptor, 0, SEEK_END)) }
    }

    deinit { if descriptor >= 0 { _ = Foundation.close(descriptor) } }

    package func write(_ bytes: [UInt8]) throws(CheckpointError) {
        let result: Result<Void, CheckpointError> = bytes.withUnsafeBytes { buffer in
            Result { () throws(CheckpointError) in try write(buffer) }
        }
        try result.get()
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws(CheckpointError) {
        guard let start = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let count = write(start + done, count: bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw .cannotWrite(file: path, reason: lastSystemError())
            }
            done += count
            size += count
        }
    }

    /// Bytes written, fewer than `count` where the system takes fewer; −1 with `errno` for a failure.
    private func write(_ bytes: UnsafeRawPointer, count: Int) -> Int {
        #if DEBUG
            switch FaultPlan.current.next(.write) {
            case .error(let code):
                errno = code
                return -1
            case .short: return Foundation.write(descriptor, bytes, max(1, count / 2))
            case nil: break
            }
        #endif
        return Foundation.write(descriptor, bytes, count)
    }

    /// Flushes the data to disk and closes the file; a full disk is reported here at the latest.
    package func close() throws(CheckpointError) {
        let failed = fsync(descriptor) != 0 && errno != EINVAL && errno != EROFS
        let reason = lastSystemError()
        let closed = Foundation.close(descriptor)
        descriptor = -1
        if failed || closed != 0 { throw .cannotWrite(file: path, reason: failed ? reason : lastSystemError()) }
    }
}
