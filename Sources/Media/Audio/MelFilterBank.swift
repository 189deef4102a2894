#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Triangular filters evenly spaced on Slaney's mel scale (linear to 1 kHz, logarithmic above), each of unit area, from
/// 0 Hz to the Nyquist frequency: `librosa.filters.mel(htk=False, norm="slaney")`, which Whisper was trained with.
struct MelFilterBank: Sendable {
    let melCount: Int
    let binCount: Int
    /// First bin of each mel. Mel `m` has weights for bins from `firstBin[m]` on.
    private let firstBin: [Int]
    /// Mel `m`'s weights are `weights[offset[m] ..< offset[m + 1]]`.
    private let offset: [Int]
    private let weights: [Double]

    init(melCount: Int, fftSize: Int, sampleRate: Int) {
        self.melCount = melCount
        binCount = fftSize / 2 + 1
        let nyquist = Double(sampleRate) / 2
        let top = Self.mel(ofHertz: nyquist)
        let edges = (0..<melCount + 2).map { Self.hertz(ofMel: top * Double($0) / Double(melCount + 1)) }
        var firstBin: [Int] = [], offset = [0], weights: [Double] = []
        for mel in 0..<melCount {
            let (low, center, high) = (edges[mel], edges[mel + 1], edges[mel + 2])
            let area = 2 / (high - low)
            var first: Int?
            var last = 0
            var row: [Double] = []
            for bin in 0..<binCount {
                let frequency = nyquist * Double(bin) / Double(binCount - 1)
                let weight =
                    max(0, min((frequency - low) / (center - low), (high - frequency) / (high - center))) * area
                if weight > 0 {
                    if first == nil { first = bin }
                    last = bin
                }
                row.append(weight)
            }
            if let first {
                firstBin.append(first)
                weights.append(contentsOf: row[first...last])
            } else {
                firstBin.append(0)
            }
            offset.append(weights.count)
        }
        self.firstBin = firstBin
        self.offset = offset
        self.weights = weights
    }

    /// Writes Σ weight · power for every mel. `power`: `[binCount]`; `output`: `[melCount]`.
    @inline(__always)
    func apply(power: UnsafePointer<Double>, output: UnsafeMutablePointer<Double>) {
        weights.withUnsafeBufferPointer { weights in
            for mel in 0..<melCount {
                var sum = 0.0
                let bins = power + firstBin[mel]
                let start = offset[mel]
                for i in 0..<offset[mel + 1] - start { sum += weights[start + i] * bins[i] }
                output[mel] = sum
            }
        }
    }

    /// Slaney's scale (Auditory Toolbox, 1998): 200/3 Hz a mel below 1 kHz, then 27 mels for each factor of 6.4.
    static func mel(ofHertz hertz: Double) -> Double {
        hertz < 1000 ? hertz * 3 / 200 : 15 + log(hertz / 1000) * 27 / log(6.4)
    }

    static func hertz(ofMel mel: Double) -> Double {
        mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
    }
}
