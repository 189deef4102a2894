import Checkpoint
import Crypto
import Foundation

/// A digest of the content of a file.
package enum FileDigest: Sendable, Hashable {
    /// SHA-256 of the content, in lower-case hexadecimal.
    case sha256(String)
    /// Git's blob id: SHA-1 of a header and the content. Hubs list no other digest for small files.
    case gitBlob(String)

    package var algorithm: String {
        switch self {
        case .sha256: "sha256"
        case .gitBlob: "git blob sha1"
        }
    }

    package var hexadecimal: String {
        switch self {
        case .sha256(let text), .gitBlob(let text): text
        }
    }

    /// SHA-256 of a file's content, in lower-case hexadecimal. Stops when the task is cancelled.
    package static func sha256(ofFile path: String) throws -> String {
        try hash(MappedFile(path: path), SHA256())
    }

    /// The digest of the same kind of the file at `path`. Stops when the task is cancelled.
    func computed(path: String) throws -> String {
        let file = try MappedFile(path: path)
        switch self {
        case .sha256:
            return try Self.hash(file, SHA256())
        case .gitBlob:
            var hasher = Insecure.SHA1()
            hasher.update(data: Data("blob \(file.bytes.count)\0".utf8))
            return try Self.hash(file, hasher)
        }
    }

    private static func hash(_ file: MappedFile, _ start: some HashFunction) throws -> String {
        var hasher = start
        var offset = 0
        while offset < file.bytes.count {
            try Task.checkCancellation()
            let end = min(offset + 1 << 22, file.bytes.count)
            hasher.update(bufferPointer: UnsafeRawBufferPointer(rebasing: file.bytes[offset..<end]))
            // Hashed pages are dropped, so that a large file does not displace others from the page cache.
            file.discard(offset..<end)
            offset = end
        }
        return hasher.finalize().map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }
}
