import Compute

/// Device memory that a model takes besides its weights, workspace and caches.
package protocol DeviceResource: AnyObject {
    /// The buffers, as they will stand in the ledger.
    var plannedBuffers: [PlannedBuffer] { get }
    /// Allocates them, and fills them with what does not depend on weights.
    func allocate(on device: Device) throws
    /// Issues what fills them from the model's weights, which are there by then.
    func derive(on stream: CommandStream) throws
    /// Lets go of the memory.
    func release()
}

extension DeviceResource {
    package func derive(on stream: CommandStream) throws {}
}

/// A buffer through which the host hands a model its input.
package final class InputBuffer: DeviceResource {
    package let label: String
    package let byteCount: Int
    private var memory: Buffer?

    package init(label: String, byteCount: Int) {
        self.label = label
        self.byteCount = byteCount
    }

    package var plannedBuffers: [PlannedBuffer] {
        [PlannedBuffer(purpose: .staging, label: label, byteCount: byteCount)]
    }

    package func allocate(on device: Device) throws {
        let buffer = try device.makeBuffer(byteCount: byteCount, purpose: .staging, label: label, access: .upload)
        // Parts that the host never writes (a convolution's padding) are zero.
        buffer.write([UInt8](repeating: 0, count: byteCount))
        memory = buffer
    }

    package func release() { memory = nil }

    /// The host-visible buffer. It must be allocated.
    package var buffer: Buffer {
        guard let memory else { preconditionFailure("the input buffer \(label) is not allocated") }
        return memory
    }
}
