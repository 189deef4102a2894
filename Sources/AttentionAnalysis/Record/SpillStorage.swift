import Foundation

/// Bytes by offset.
protocol SpillStorage: Sendable {
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws
    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws
}

/// A temporary file without a name: unlinked right after it is made, so the system frees it when the program ends,
/// however it ends.
final class UnlinkedFile: SpillStorage {
    private let descriptor: Int32
    private let path: String

    /// - Throws: ``AttentionAnalysisError/storage(operation:path:reason:)`` when the folder cannot be written to.
    init(directory: String?) throws {
        let folder = directory ?? FileManager.default.temporaryDirectory.path
        var template = Array((folder + "/fovea-attention-XXXXXX").utf8CString)
        let descriptor = template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { mkstemp($0) } ?? -1
        }
        guard descriptor >= 0 else { throw UnlinkedFile.failure("making a temporary file", folder) }
        _ = template.withUnsafeBufferPointer { buffer in buffer.baseAddress.map { unlink($0) } }
        // Child processes have no business with it.
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        self.descriptor = descriptor
        path = folder
    }

    deinit { close(descriptor) }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let written = pwrite(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw UnlinkedFile.failure("writing", path) }
            done += written
        }
    }

    func read(into bytes: UnsafeMutableRawBufferPointer, at offset: Int) throws {
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let got = pread(descriptor, base + done, bytes.count - done, off_t(offset + done))
            if got < 0, errno == EINTR { continue }
            guard got > 0 else {
                if got == 0 {
                    throw AttentionAnalysisError.storage(
                        operation: "reading back", path: path, reason: "the temporary file is too short")
                }
                throw UnlinkedFile.failure("reading back", path)
            }
            done += got
        }
    }

    private static func failure(_ operation: String, _ path: String) -> AttentionAnalysisError {
        .storage(operation: operation, path: path, reason: String(cString: strerror(errno)))
    }
}
