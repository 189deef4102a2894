#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How loud a stretch of samples is, for a meter and for skipping silence. 1.0 is full scale.
package struct VoiceLevel: Sendable, Equatable {
    /// Root of the mean square.
    package let rms: Float
    /// The largest magnitude.
    package let peak: Float

    package init(rms: Float, peak: Float) {
        self.rms = rms
        self.peak = peak
    }

    package init(_ samples: some Collection<Float>) {
        var sum = 0.0, peak: Float = 0
        for sample in samples {
            sum += Double(sample) * Double(sample)
            peak = max(peak, abs(sample))
        }
        rms = samples.isEmpty ? 0 : Float((sum / Double(samples.count)).squareRoot())
        self.peak = peak
    }

    /// The quietest level told apart: 20 bits below full scale.
    package static let floorDecibels: Float = -120

    /// RMS in dB relative to full scale, at least `floorDecibels`.
    package var decibels: Float { rms > 1e-6 ? max(20 * log10(rms), Self.floorDecibels) : Self.floorDecibels }

    /// Below the noise of a quiet room on an ordinary microphone.
    package func isSilence(below threshold: Float = -50) -> Bool { decibels < threshold }

    /// One level for each stretch of `frameLength` samples (the last one may be shorter); a hop of 160 goes with the frames
    /// of the spectrogram.
    package static func frames(of samples: [Float], frameLength: Int) -> [VoiceLevel] {
        precondition(frameLength > 0, "a frame has samples")
        return stride(from: 0, to: samples.count, by: frameLength).map { start in
            VoiceLevel(samples[start..<min(start + frameLength, samples.count)])
        }
    }
}
