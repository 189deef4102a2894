import Foundation

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
            let count = Foundation.write(descriptor, start + done, bytes.count - done)
            if count < 0 {
                if errno == EINTR { continue }
                throw .cannotWrite(file: path, reason: lastSystemError())
            }
            done += count
            size += count
        }
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
