/// Values that change from one decode step to the next. Kernels read them from device memory, so that a recorded step
/// can be replayed after rewriting only these. The layout is that of `StepState` in the shaders.
package struct StepState: BitwiseCopyable, Sendable {
    package static let maximumRows = 16
    /// Bytes from the start to the first token id.
    static let tokensOffset = 32

    /// Position of the first new token.
    package var position: UInt32 = 0
    /// Keys the new tokens may see: `position` + 1 when one token is added.
    package var keyCount: UInt32 = 0
    /// Hypotheses (rows) in this step.
    package var rows: UInt32 = 0
    /// 1/T of the step's sampling, for kernels that weigh its logits.
    package var inverseTemperature: Float = 1
    /// Bytes from the start to it.
    static let inverseTemperatureOffset = 12
    var reserved: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var tokenStorage:
        (
            UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32,
            UInt32, UInt32, UInt32
        ) =
            (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    package init(position: Int, tokens: [Int], inverseTemperature: Float = 1) {
        precondition(tokens.count <= Self.maximumRows, "a decode step takes at most \(Self.maximumRows) rows")
        self.position = UInt32(position)
        keyCount = UInt32(position + 1)
        rows = UInt32(tokens.count)
        self.inverseTemperature = inverseTemperature
        withUnsafeMutableBytes(of: &tokenStorage) { bytes in
            let slots = bytes.bindMemory(to: UInt32.self)
            for (index, token) in tokens.enumerated() { slots[index] = UInt32(token) }
        }
    }
}

/// The device's copy of `StepState`, written by the host before each step.
package final class StepBuffer {
    package let buffer: Buffer

    package init(device: Device) throws {
        buffer = try device.makeBuffer(
            byteCount: MemoryLayout<StepState>.size, purpose: .staging, label: "decode step", access: .upload)
    }

    package var address: UInt64 { buffer.address }
    package var byteRange: MemoryRange {
        MemoryRange(buffer: buffer, offset: 0, byteCount: MemoryLayout<StepState>.size)
    }

    /// Location of 1/T, one f32.
    package var inverseTemperature: Tensor {
        Tensor(buffer: buffer, byteOffset: StepState.inverseTemperatureOffset, rows: 1, columns: 1)
    }

    /// Sets the next step. The device must have finished the previous one.
    package func write(_ state: StepState) {
        withUnsafeBytes(of: state) { buffer.write($0) }
    }
}
