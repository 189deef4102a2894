import Compute
import Foundation

/// Writes host bytes into device buffers: directly where the host can reach them, else through two staging buffers,
/// one filling while the other is being copied.
final class DeviceWriter {
    private static let stagingBytes = 16 << 20

    private let device: Device
    private let stream: CommandStream
    private var staging: [Buffer] = []
    private var busyUntil: [UInt64] = []
    private var current = 0
    private var used = 0

    init(device: Device) throws {
        self.device = device
        stream = try CommandStream(device: device)
    }

    func write(_ bytes: UnsafeRawBufferPointer, to buffer: Buffer, at offset: Int) throws {
        if buffer.contents != nil {
            buffer.write(bytes, at: offset)
            return
        }
        var position = 0
        while position < bytes.count {
            try prepareStaging()
            let count = min(bytes.count - position, Self.stagingBytes - used)
            staging[current].write(UnsafeRawBufferPointer(rebasing: bytes[position..<position + count]), at: used)
            try stream.copy(
                from: MemoryRange(buffer: staging[current], offset: used, byteCount: count),
                to: MemoryRange(buffer: buffer, offset: offset + position, byteCount: count))
            position += count
            used += (count + 15) / 16 * 16
            if used >= Self.stagingBytes { try rotate() }
        }
    }

    private func prepareStaging() throws {
        if staging.isEmpty {
            staging = try (0..<2).map {
                try device.makeBuffer(
                    byteCount: Self.stagingBytes, purpose: .staging, label: "upload[\($0)]", access: .upload)
            }
            busyUntil = [0, 0]
        }
    }

    private func rotate() throws {
        busyUntil[current] = try stream.submit()
        current = 1 - current
        used = 0
        try stream.wait(for: busyUntil[current])
    }

    /// Issues work that fills device memory by itself.
    func issue(_ body: (CommandStream) throws -> Void) throws { try body(stream) }

    func finish() throws { try stream.finish() }
}
