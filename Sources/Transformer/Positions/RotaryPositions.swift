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
        /// A divisor for each frequency, as GGUF files carry it in `rope_freqs.weight` and Phi-3's longrope in its
        /// configuration; queries and keys grow by `amplitude`.
        case divisors([Float], amplitude: Float = 1)
    }

    /// Distribution of the frequencies over the axes of pictures (Wang et al. 2024, "Qwen2-VL"): each turns by the position in
    /// time, its row, or its column. `sections` are the frequencies of each axis, time first.
    package enum Axes: Sendable, Hashable {
        /// All frequencies of time, then those of rows, then those of columns.
        case runs(sections: [Int])
        /// Frequency i belongs to axis i mod 3 while i < 3 · that axis' section, the others to time (Qwen3-VL).
        case interleaved(sections: [Int])

        /// The axis of a frequency: 0 time, 1 row, 2 column.
        func axis(of frequency: Int) -> Int {
            switch self {
            case .runs(let sections):
                var end = 0
                for (axis, count) in sections.enumerated() {
                    end += count
                    if frequency < end { return axis }
                }
                return 0
            case .interleaved(let sections):
                let axis = frequency % 3
                return axis < sections.count && frequency < 3 * sections[axis] ? axis : 0
            }
        }
    }

    package let shape: RotaryShape
    package let positions: Int
    private let theta: Double
    private let scaling: Scaling
    private let purpose: MemoryPurpose
    private var buffer: Buffer?
    private let axes: Axes?
    /// Rotary position of the token behind each one that has run, with `axes`.
    private var following: [Int] = []
    /// Rows of the table from `start` on turn by row + `shift`.
    private var tail = (start: 0, shift: 0)

    /// - Parameters:
    ///   - positions: length of the table: the context length.
    ///   - theta: the base of the wavelengths.
    ///   - axes: makes the positions those of `place(_:count:at:)`.
    package init(
        shape: RotaryShape, positions: Int, theta: Double, scaling: Scaling = .none, axes: Axes? = nil,
        purpose: MemoryPurpose = .weightsDecoder
    ) {
        self.shape = shape
        self.positions = positions
        self.theta = theta
        self.scaling = scaling
        self.axes = axes
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
            case .divisors(let divisors, _): return Float(plain) / (pair < divisors.count ? divisors[pair] : 1)
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
        buffer = try device.makeBuffer(byteCount: byteCount, purpose: purpose, label: "rotary positions")
        (following, tail) = ([], (0, 0))
        try write((0..<positions).map { [$0, $0, $0] }, at: 0)
    }

    /// Lets go of the memory.
    package func release() { buffer = nil }

    /// Writes rows of the table.
    /// - Parameter places: position in time, row and column of each; without axes the first counts.
    private func write(_ places: [[Int]], at first: Int) throws {
        guard let buffer, !places.isEmpty else { return }
        let frequencies = frequencies
        let half = frequencies.count
        let axis = (0..<half).map { axes?.axis(of: $0) ?? 0 }
        let amplitude: Double = if case .divisors(_, let amplitude) = scaling { Double(amplitude) } else { 1 }
        var table = [Float](repeating: 0, count: places.count * 2 * half)
        for (row, place) in places.enumerated() {
            for (pair, frequency) in frequencies.enumerated() {
                // The product is rounded to f32, as the reference does; its cosine is exact.
                let angle = Double(Float(place[axis[pair]]) * frequency)
                table[row * 2 * half + pair] = Float(cos(angle) * amplitude)
                table[row * 2 * half + half + pair] = Float(sin(angle) * amplitude)
            }
        }
        let writer = try DeviceWriter(device: buffer.device)
        try table.withUnsafeBytes { try writer.write($0, to: buffer, at: first * 8 * half) }
        try writer.finish()
    }

    /// Gives `count` tokens that are about to run at cache positions from `start` their rotary positions. A token of text
    /// stands one behind the token before it, on all axes. The rows and columns of a picture's grid start where the next token
    /// of text would stand, and the text behind it goes on behind the larger side. The device is idle. Does nothing without
    /// axes.
    /// - Parameter grids: place of each picture among the tokens, and its grid; they ascend.
    /// - Returns: the positions `[count][3]` in time, row and column.
    @discardableResult
    func place(_ grids: [(first: Int, rows: Int, columns: Int)], count: Int, at start: Int) throws -> [[Int]] {
        guard axes != nil else { return [] }
        following.removeLast(max(0, following.count - start))
        var next = following.last ?? 0
        var places: [[Int]] = []
        var left = grids[...]
        while places.count < count {
            if let grid = left.first, grid.first == places.count {
                left.removeFirst()
                for cell in 0..<min(grid.rows * grid.columns, count - places.count) {
                    places.append([next, next + cell / grid.columns, next + cell % grid.columns])
                }
                next += max(grid.rows, grid.columns)
            } else {
                places.append([next, next, next])
                next += 1
            }
            following += Array(repeating: next, count: start + places.count - following.count)
        }
        // The steps behind them are tokens of text.
        let end = start + count
        let shift = next - end
        if !grids.isEmpty || tail.start > start || tail.shift != shift {
            try write(places + (end..<max(end, positions)).map { Array(repeating: $0 + shift, count: 3) }, at: start)
            tail = (end, shift)
        }
        return places
    }

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
