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
        let binCount = fftSize / 2 + 1, nyquist = Double(sampleRate) / 2
        let top = Self.mel(ofHertz: nyquist)
        let edges = (0..<melCount + 2).map { Self.hertz(ofMel: top * Double($0) / Double(melCount + 1)) }
        let rows = (0..<melCount).map { mel in
            let (low, center, high) = (edges[mel], edges[mel + 1], edges[mel + 2])
            let area = 2 / (high - low)
            return (0..<binCount).map { bin in
                let frequency = nyquist * Double(bin) / Double(binCount - 1)
                return max(0, min((frequency - low) / (center - low), (high - frequency) / (high - center))) * area
            }
        }
        self.init(rows: rows)
    }

    /// Filters that are given, `[mels, bins]`.
    init(rows: [[Double]]) {
        melCount = rows.count
        binCount = rows.first?.count ?? 0
        var firstBin: [Int] = [], offset = [0], weights: [Double] = []
        for row in rows {
            let first = row.firstIndex { $0 != 0 } ?? 0, last = row.lastIndex { $0 != 0 } ?? -1
            firstBin.append(first)
            if first <= last { weights += row[first...last] }
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
