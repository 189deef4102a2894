import CSndfile
import Foundation
import Testing

func sine(_ hertz: Double, rate: Int, seconds: Double, amplitude: Double = 0.5) -> [Float] {
    (0..<Int(Double(rate) * seconds)).map { Float(amplitude * sin(2 * Double.pi * hertz * Double($0) / Double(rate))) }
}

/// Interleaves channels of equal length.
func interleave(_ channels: [[Float]]) -> [Float] {
    (0..<channels[0].count).flatMap { frame in channels.map { $0[frame] } }
}

/// Writes interleaved samples in any format libsndfile can write.
func writeSound(_ samples: [Float], channels: Int = 1, rate: Int, format: Int32, to path: String) throws {
    var info = SF_INFO()
    info.samplerate = Int32(rate)
    info.channels = Int32(channels)
    info.format = format
    let handle = try #require(sf_open(path, Int32(SFM_WRITE), &info), "\(String(cString: sf_strerror(nil)))")
    defer { sf_close(handle) }
    let frames = Int64(samples.count / channels)
    // Vorbis and MP3 writers overflow the stack on very large blocks.
    var written: Int64 = 0
    while written < frames {
        let count = min(4096, frames - written)
        let done = samples.withUnsafeBufferPointer {
            sf_writef_float(handle, $0.baseAddress! + Int(written) * channels, count)
        }
        try #require(done == count)
        written += count
    }
}

func floatBytes(_ samples: [Float]) -> [UInt8] {
    samples.flatMap { sample in (0..<4).map { UInt8(truncatingIfNeeded: sample.bitPattern >> (8 * UInt32($0))) } }
}

/// Amplitude of one frequency in the middle of a signal (Hann-windowed projection).
func amplitude(of hertz: Double, in samples: some Collection<Float>, rate: Int) -> Double {
    var real = 0.0, imaginary = 0.0, weight = 0.0
    for (i, sample) in samples.enumerated() {
        let window = 0.5 - 0.5 * cos(2 * Double.pi * (Double(i) + 0.5) / Double(samples.count))
        let angle = 2 * Double.pi * hertz * Double(i) / Double(rate)
        real += window * Double(sample) * cos(angle)
        imaginary += window * Double(sample) * sin(angle)
        weight += window
    }
    return 2 * (real * real + imaginary * imaginary).squareRoot() / weight
}
