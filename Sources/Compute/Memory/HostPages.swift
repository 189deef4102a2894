import CVulkan
import Foundation

/// Pages of the host that a CPU driver takes as device memory (VK_EXT_external_memory_host), large ones where the system
/// has them.
///
/// Kernels there walk through rows that lie kilobytes apart, eight at a time. With pages of 4 KiB, which drivers' own memory
/// has, every row is another page, more pages than the processor's TLB holds. With large ones Whisper's steps became
/// a quarter (Mesa 25.0) to a third (22.3) faster.
final class HostPages: @unchecked Sendable {
    // Safety: constant after `init`; the memory is the buffer's that owns this.
    let address: UnsafeMutableRawPointer
    let byteCount: Int

    /// Bytes from which a buffer is worth pages of its own.
    static let minimumBytes = 1 << 20
    static let largePageBytes = 2 << 20

    /// - Returns: `nil` where the system has no room.
    init?(byteCount: Int) {
        // Aligned within a larger reservation, whose ends go back.
        let reserved = byteCount + Self.largePageBytes
        guard let start = mmap(nil, reserved, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { return nil }
        let skipped = -Int(bitPattern: start) & (Self.largePageBytes - 1)
        if skipped > 0 { munmap(start, skipped) }
        address = start + skipped
        munmap(address + byteCount, reserved - skipped - byteCount)
        self.byteCount = byteCount
        // A hint: systems without large pages continue with small ones.
        _ = madvise(address, byteCount, MADV_HUGEPAGE)
    }

    deinit { munmap(address, byteCount) }
}
