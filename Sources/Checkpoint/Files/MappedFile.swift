import Foundation

/// A file mapped read-only into memory; unmapped when the last reference goes.
///
/// Pages are read on first touch and can be dropped again, so mapping a 20 GB checkpoint costs address space only.
/// As with any mapping, a file that another process shortens while it is mapped ends the program (SIGBUS); replace
/// checkpoints by renaming, as `fovea pull` does.
package final class MappedFile: Sendable {
    package let path: String
    /// The whole file. Valid as long as this object is.
    package nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

    package init(path: String) throws(CheckpointError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .cannotRead(file: path, reason: lastSystemError()) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw .cannotRead(file: path, reason: lastSystemError()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .cannotRead(file: path, reason: "not a regular file") }
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED else {
            throw .cannotRead(file: path, reason: "cannot be mapped: \(lastSystemError())")
        }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        if let base = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: base), bytes.count) }
    }

    /// Tells the kernel that the pages wholly inside `range` will not be needed soon. They stay readable.
    package func discard(_ range: Range<Int>) {
        guard let base = bytes.baseAddress else { return }
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard page > 0 else { return }
        let lower = (range.lowerBound + page - 1) / page * page
        // The last page of the file may be dropped too: nothing else lies behind it.
        let upper = range.upperBound == bytes.count ? range.upperBound : range.upperBound / page * page
        guard lower < upper else { return }
        _ = madvise(UnsafeMutableRawPointer(mutating: base + lower), upper - lower, MADV_DONTNEED)
    }

    /// Tells the kernel that `range` will be read soon. It reads ahead on its own.
    package func prefetch(_ range: Range<Int>) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        guard let base = bytes.baseAddress, page > 0 else { return }
        let lower = range.lowerBound / page * page
        guard lower < range.upperBound else { return }
        _ = madvise(UnsafeMutableRawPointer(mutating: base + lower), range.upperBound - lower, MADV_WILLNEED)
    }
}

/// The operating system's words for `errno`.
package func lastSystemError() -> String { String(cString: strerror(errno)) }
