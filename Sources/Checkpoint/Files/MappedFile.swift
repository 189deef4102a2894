import Foundation
import Support

/// A file mapped read-only into memory until the last reference is released.
///
/// Pages are read on first access and can be dropped again, so mapping a 20 GB checkpoint costs address space only.
/// As with any mapping, a file that another process shortens while it is mapped ends the program (SIGBUS); replace
/// checkpoints by renaming, as `fovea pull` does.
package final class MappedFile: Sendable {
    package let path: String
    /// The whole file, valid for the lifetime of this object.
    package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    package init(path: String) throws(CheckpointError) {
        self.path = path
        let file = try Self.opened(path)
        let size = file.byteCount
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, file.descriptor, 0), address != MAP_FAILED else {
            throw .cannotRead(file: path, reason: "cannot be mapped: \(lastSystemError())")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    /// A file in memory.
    ///
    /// - Parameter path: The file it comes from, for messages.
    init(path: String, copying content: [UInt8]) throws(CheckpointError) {
        self.path = path
        guard !content.isEmpty else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        // Shared, so that ``discard(_:)`` does not clear the pages.
        let flags = MAP_SHARED | MAP_ANONYMOUS
        guard let address = mmap(nil, content.count, PROT_READ | PROT_WRITE, flags, -1, 0), address != MAP_FAILED else {
            throw .cannotRead(file: path, reason: "no memory for \(content.count) bytes: \(lastSystemError())")
        }
        UnsafeMutableRawBufferPointer(start: address, count: content.count).copyBytes(from: content)
        bytes = UnsafeRawBufferPointer(start: address, count: content.count)
    }

    private static func opened(_ path: String) throws(CheckpointError) -> RegularFile {
        do {
            return try RegularFile(path: path)
        } catch {
            throw .cannotRead(file: path, reason: error.description)
        }
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }

    /// Drops the pages that lie wholly inside `range` (`MADV_DONTNEED`). They stay readable.
    package func discard(_ range: Range<Int>) {
        guard let base = bytes.baseAddress else { return }
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard page > 0 else { return }
        let lower = (range.lowerBound + page - 1) / page * page
        // The last page of the file may be dropped too: no other data follows.
        let upper = range.upperBound == bytes.count ? range.upperBound : range.upperBound / page * page
        guard lower < upper else { return }
        _ = madvise(UnsafeMutableRawPointer(mutating: base + lower), upper - lower, MADV_DONTNEED)
    }

    /// Starts reading `range` in the background (`MADV_WILLNEED`).
    package func prefetch(_ range: Range<Int>) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard let base = bytes.baseAddress, page > 0 else { return }
        let lower = range.lowerBound / page * page
        guard lower < range.upperBound else { return }
        _ = madvise(UnsafeMutableRawPointer(mutating: base + lower), range.upperBound - lower, MADV_WILLNEED)
    }
}

/// The system's message for `errno`.
package func lastSystemError() -> String { String(cString: strerror(errno)) }
