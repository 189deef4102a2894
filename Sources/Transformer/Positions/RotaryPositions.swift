import Compute
import Foundation

/// Rotary positions (Su et al. 2021) of a decoder: the table of cosines and sines that all its layers turn their
/// queries and keys by.
package final class RotaryPositions: DeviceResource {
    /// Scaling of the wavelengths for contexts longer than the model was first trained on.
    package enum Scaling: Sendable, Hashable {
        case none
        /// All wavelengths by one factor.
        case linear(factor: Double)
        /// Llama 3.1's: long wavelengths by the factor, short ones not, smoothly between (transformers'
        /// `_compute_llama3_parameters`).
        case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalPositions: Double)
        /// A divisor for each frequency, as GGUF files carry it in `rope_freqs.weight`.
        case divisors([Float])
    }

    package let shape: RotaryShape
    package let positions: Int
    private let theta: Double
    private let scaling: Scaling
    private let purpose: MemoryPurpose
    private var buffer: Buffer?

    /// - Parameters:
    ///   - positions: length of the table: the context length.
    ///   - theta: the base of the wavelengths.
    package init(
        shape: RotaryShape, positions: Int, theta: Double, scaling: Scaling = .none,
        purpose: MemoryPurpose = .weightsDecoder
    ) {
        self.shape = shape
        self.positions = positions
        self.theta = theta
        self.scaling = scaling
        self.purpose = purpose
    }

    /// Radians per position of each pair, rounded to f32 as the reference has them.
    var frequencies: [Float] {
        let half = shape.rotaryDimension / 2
        return (0..<half).map { pair in
            let plain = pow(theta, -2 * Double(pair) / Double(shape.rotaryDimension))
            switch scaling {
            case .none: return Float(plain)
            case .linear(let factor): return Float(plain / factor)
            case .divisors(let divisors): return Float(plain) / (pair < divisors.count ? divisors[pair] : 1)
            case .llama3(let factor, let low, let high, let original):
                let wavelength = 2 * Double.pi / plain
                if wavelength < original / high { return Float(plain) }
                if wavelength > original / low { return Float(plain / factor) }
                let smooth = (original / wavelength - low) / (high - low)
                return Float((1 - smooth) * plain / factor + smooth * plain)
            }
        }
    }

    private var byteCount: Int { positions * shape.rotaryDimension * 4 }

    package var plannedBuffers: [PlannedBuffer] {
        [PlannedBuffer(purpose: purpose, label: "rotary positions", byteCount: byteCount)]
    }

    /// Tabulates the angles on the device.
    package func allocate(on device: Device) throws {
        let buffer = try device.makeBuffer(byteCount: byteCount, purpose: purpose, label: "rotary positions")
        let frequencies = frequencies
        let half = frequencies.count
        var table = [Float](repeating: 0, count: positions * 2 * half)
        for position in 0..<positions {
            for (pair, frequency) in frequencies.enumerated() {
                // The product is rounded to f32, as the reference does; its cosine is exact.
                let angle = Double(Float(position) * frequency)
                table[position * 2 * half + pair] = Float(cos(angle))
                table[position * 2 * half + half + pair] = Float(sin(angle))
            }
        }
        let writer = try DeviceWriter(device: device)
        try table.withUnsafeBytes { try writer.write($0, to: buffer, at: 0) }
        try writer.finish()
        self.buffer = buffer
    }

    /// Lets go of the memory.
    package func release() { buffer = nil }

    private var table: Tensor {
        guard let buffer else { preconditionFailure("the rotary positions are not allocated") }
        return Tensor(buffer: buffer, rows: positions, columns: shape.rotaryDimension)
    }

    /// For the attention of a decode step, which turns queries and new keys itself.
    var decode: DecodeRotary { DecodeRotary(shape: shape, table: table) }

    /// Turns consecutive positions' queries or keys, `[rows, heads · headDimension]`, in place.
    package func turn(_ x: Tensor, firstPosition: Int, on stream: CommandStream) throws {
        try stream.rotary(x, shape: shape, table: table, firstPosition: firstPosition)
    }

    /// Turns the queries or keys of a decode step, whose rows all stand at the step's position.
    package func turn(_ x: Tensor, step: StepBuffer, on stream: CommandStream) throws {
        try stream.rotary(x, shape: shape, table: table, step: step)
    }
}
