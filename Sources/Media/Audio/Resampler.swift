#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A converter of the sample rate of a stream of mono samples, by any rational ratio.
///
/// A Kaiser-windowed sinc in polyphase form (Crochiere and Rabiner, *Multirate Digital Signal Processing*, 1983): output
/// sample `k` lies at input time `k · inputRate / outputRate`, and is the inner product of the input around that time with
/// the filter shifted to its fractional part. The filter's band ends at the Nyquist frequency of the lower of the two
/// rates, so there is no aliasing, and it is centered, so there is no delay. Pass band: flat to 0.9 of that Nyquist frequency;
/// stop band: more than 90 dB of attenuation above it.
///
/// `process(_:)` takes blocks of any size, and one `finish()` follows: together they give
/// `ceil(inputs · outputRate / inputRate)` samples, independent of the block sizes.
package struct Resampler: Sendable {
    package let inputRate: Int
    package let outputRate: Int

    /// Rates are reduced to `up / down`; output `k` has phase `(k · down) mod up`.
    private let up: Int
    private let down: Int
    private let filter: PolyphaseFilter?

    /// Input samples not yet fully used; the first one is number `bufferStart` of the stream (which may be negative:
    /// the silence before the beginning).
    private var buffer: [Float]
    private var bufferStart: Int
    private var inputCount = 0
    /// Input index and phase of the next output sample.
    private var position = 0
    private var phase = 0
    private var outputCount = 0

    /// - Throws: `MediaError.invalidParameter` for rates outside 1…16,777,216 Hz, or whose ratio is beyond 1:4096.
    package init(from inputRate: Int, to outputRate: Int) throws(MediaError) {
        for (name, rate) in [("input sample rate", inputRate), ("output sample rate", outputRate)] {
            guard (1...(1 << 24)).contains(rate) else {
                throw .invalidParameter(name: name, value: "\(rate)", expected: "1 to \(1 << 24) Hz")
            }
        }
        guard max(inputRate, outputRate) / min(inputRate, outputRate) <= 4096 else {
            throw .invalidParameter(
                name: "sample rate ratio", value: "\(inputRate):\(outputRate)", expected: "at most 4096")
        }
        self.inputRate = inputRate
        self.outputRate = outputRate
        let divisor = greatestCommonDivisor(inputRate, outputRate)
        up = outputRate / divisor
        down = inputRate / divisor
        filter = inputRate == outputRate ? nil : PolyphaseFilter(up: up, down: down)
        bufferStart = -(filter?.leading ?? 0)
        buffer = [Float](repeating: 0, count: filter?.leading ?? 0)
    }

    /// Adds input samples and returns the output samples that they complete.
    package mutating func process(_ input: [Float]) -> [Float] {
        guard filter != nil else {
            outputCount += input.count
            return input
        }
        buffer.append(contentsOf: input)
        inputCount += input.count
        return produce(limit: Int.max)
    }

    /// Ends the stream: the samples whose filter reaches past the last input, with silence assumed there.
    package mutating func finish() -> [Float] {
        guard let filter else { return [] }
        let total = (inputCount * up + down - 1) / down
        buffer.append(contentsOf: repeatElement(0, count: filter.tapCount + 1))
        return produce(limit: total - outputCount)
    }

    private mutating func produce(limit: Int) -> [Float] {
        guard let filter else { return [] }
        // The filter of an output at input index i covers i - leading ..< i - leading + tapCount.
        let available = bufferStart + buffer.count
        let lastPosition = available - filter.tapCount + filter.leading
        guard position <= lastPosition, limit > 0 else { return [] }
        let ready = ((lastPosition - position + 1) * up - phase + down - 1) / down
        let count = min(max(ready, 0), limit)
        var position = position, phase = phase
        let result = [Float](unsafeUninitializedCapacity: count) { output, filled in
            buffer.withUnsafeBufferPointer { input in
                for k in 0..<count {
                    let start = position - filter.leading - bufferStart
                    output[k] = filter.apply(phase: phase, to: input, at: start)
                    phase += down
                    position += phase / up
                    phase %= up
                }
            }
            filled = count
        }
        self.position = position
        self.phase = phase
        outputCount += count
        let unused = max(0, min(position - filter.leading - bufferStart, buffer.count))
        buffer.removeFirst(unused)
        bufferStart += unused
        return result
    }
}

/// The windowed sinc, divided into one row of taps per phase.
private struct PolyphaseFilter: Sendable {
    /// Input samples before the position of the output sample.
    let leading: Int
    let tapCount: Int
    /// `[phases + 1, tapCount]`: the last row is the first one shifted by a sample, for interpolation.
    private let taps: [Float]
    private let phaseCount: Int
    private let up: Int

    /// Number of phases above which rows are interpolated (error below −110 dB), so that rates without a common divisor do
    /// not need a table of megabytes.
    private static let maximumPhases = 1024
    /// Stop band attenuation in dB, and transition band as a fraction of the lower Nyquist frequency.
    private static let attenuation = 96.0
    private static let transition = 0.1

    init(up: Int, down: Int) {
        self.up = up
        phaseCount = min(up, Self.maximumPhases)
        // All frequencies in units of the input rate's Nyquist frequency.
        let nyquist = min(1, Double(up) / Double(down))
        let cutoff = nyquist * (1 - Self.transition / 2)
        // Kaiser's estimates of length and shape.
        let span = (Self.attenuation - 7.95) / (2.285 * Double.pi * Self.transition * nyquist)
        let half = Int((span / 2).rounded(.up))
        let beta = 0.1102 * (Self.attenuation - 8.7)
        leading = half - 1
        tapCount = 2 * half
        var rows = [Float](repeating: 0, count: (phaseCount + 1) * tapCount)
        let scale = 1 / modifiedBessel(beta)
        for phase in 0...phaseCount {
            let fraction = Double(phase) / Double(phaseCount)
            var row = [Double](repeating: 0, count: tapCount)
            var sum = 0.0
            for tap in 0..<tapCount {
                let time = Double(tap - leading) - fraction
                let x = time / Double(half)
                guard abs(x) <= 1 else { continue }
                let angle = Double.pi * cutoff * time
                let sinc = abs(angle) < 1e-12 ? 1 : sin(angle) / angle
                row[tap] = sinc * modifiedBessel(beta * (1 - x * x).squareRoot()) * scale
                sum += row[tap]
            }
            // Unit gain at DC in every phase: otherwise a constant would get a ripple.
            for tap in 0..<tapCount { rows[phase * tapCount + tap] = Float(row[tap] / sum) }
        }
        taps = rows
    }

    @inline(__always)
    func apply(phase: Int, to input: UnsafeBufferPointer<Float>, at start: Int) -> Float {
        taps.withUnsafeBufferPointer { taps in
            let samples = UnsafeBufferPointer(rebasing: input[start..<start + tapCount])
            guard phaseCount < up else {
                return dot(UnsafeBufferPointer(rebasing: taps[phase * tapCount..<(phase + 1) * tapCount]), samples)
            }
            let exact = Double(phase) * Double(phaseCount) / Double(up)
            let row = Int(exact)
            let fraction = Float(exact - Double(row))
            let lower = dot(UnsafeBufferPointer(rebasing: taps[row * tapCount..<(row + 1) * tapCount]), samples)
            let upper = dot(UnsafeBufferPointer(rebasing: taps[(row + 1) * tapCount..<(row + 2) * tapCount]), samples)
            return lower + fraction * (upper - lower)
        }
    }
}

/// Four partial sums, so that the compiler may use vector registers and long filters lose no precision.
@inline(__always)
private func dot(_ a: UnsafeBufferPointer<Float>, _ b: UnsafeBufferPointer<Float>) -> Float {
    var s0: Float = 0, s1: Float = 0, s2: Float = 0, s3: Float = 0
    let n = a.count
    var i = 0
    while i + 4 <= n {
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
        i += 4
    }
    while i < n {
        s0 += a[i] * b[i]
        i += 1
    }
    return (s0 + s1) + (s2 + s3)
}

/// I₀, the modified Bessel function of the first kind, by its power series.
private func modifiedBessel(_ x: Double) -> Double {
    let quarter = x * x / 4
    var term = 1.0, sum = 1.0, k = 1.0
    while term > sum * 1e-17 {
        term *= quarter / (k * k)
        sum += term
        k += 1
    }
    return sum
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return a
}
