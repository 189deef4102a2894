#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Whisper's features: the logarithm of the power in mel bands, 100 times a second.
///
/// Equal to `WhisperFeatureExtractor` of transformers and `log_mel_spectrogram` of openai-whisper: frames of `fftSize` samples
/// every `hopLength`, centered (the signal is mirrored at both ends), periodic Hann window, squared magnitude, mel filters,
/// `log10(max(power, 1e-10))`, clamped from below at the maximum minus 8, `(x + 4) / 4`. The last frame (centered on the end)
/// is dropped, so `samples / hopLength` frames remain.
///
/// The maximum is that of the signal passed in. Both reference implementations compute
/// - a recording of up to 30 s padded with silence to exactly 30 s: `window(_:)`;
/// - a longer one as a whole, so that quiet passages stay quiet relative to the rest, with windows cut out of the features:
///   `whole(_:)`.
package struct LogMelSpectrogram: Sendable {
    /// Fields of `preprocessor_config.json`.
    package struct Parameters: Sendable, Equatable {
        /// `feature_size`: 80, or 128 since large-v3.
        package var melCount: Int
        /// `sampling_rate`, Hz.
        package var sampleRate: Int
        /// `n_fft`, samples in a frame.
        package var fftSize: Int
        /// `hop_length`, samples from one frame to the next.
        package var hopLength: Int
        /// `chunk_length`, seconds in a window.
        package var windowSeconds: Int

        package init(
            melCount: Int = 80, sampleRate: Int = 16_000, fftSize: Int = 400, hopLength: Int = 160,
            windowSeconds: Int = 30
        ) {
            self.melCount = melCount
            self.sampleRate = sampleRate
            self.fftSize = fftSize
            self.hopLength = hopLength
            self.windowSeconds = windowSeconds
        }
    }

    package let parameters: Parameters
    /// Samples in a window: 480,000.
    package var windowSampleCount: Int { parameters.windowSeconds * parameters.sampleRate }

    private let transform: FourierTransform
    private let filters: MelFilterBank
    private let hann: [Double]

    /// - Parameter melFilters: The mel filter bank `[mels, bins]`, if the model's file has one.
    /// - Throws: `MediaError.invalidParameter` for values beyond those of any model (they come from a downloaded file).
    package init(_ parameters: Parameters = Parameters(), melFilters: [Float]? = nil) throws(MediaError) {
        let limits: [(String, Int, ClosedRange<Int>)] = [
            ("feature_size", parameters.melCount, 1...1024),
            ("sampling_rate", parameters.sampleRate, 1000...384_000),
            ("n_fft", parameters.fftSize, 16...16_384),
            ("hop_length", parameters.hopLength, 1...16_384),
            ("chunk_length", parameters.windowSeconds, 1...600),
        ]
        for (name, value, range) in limits where !range.contains(value) {
            throw .invalidParameter(
                name: name, value: "\(value)", expected: "\(range.lowerBound) to \(range.upperBound)")
        }
        self.parameters = parameters
        let size = parameters.fftSize
        transform = FourierTransform(length: size)
        if let melFilters {
            let bins = size / 2 + 1
            guard melFilters.count == parameters.melCount * bins, melFilters.allSatisfy(\.isFinite) else {
                throw .invalidParameter(
                    name: "mel filters", value: "\(melFilters.count) values",
                    expected: "\(parameters.melCount) × \(bins) finite numbers")
            }
            filters = MelFilterBank(
                rows: stride(from: 0, to: melFilters.count, by: bins).map { first in
                    melFilters[first..<first + bins].map(Double.init)
                })
        } else {
            filters = MelFilterBank(melCount: parameters.melCount, fftSize: size, sampleRate: parameters.sampleRate)
        }
        hann = (0..<size).map { 0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(size)) }
    }

    /// Features of exactly one window, `[melCount, 3000]`: shorter signals are padded with silence, longer ones cut.
    package func window(_ samples: [Float]) -> LogMelFeatures {
        compute(samples, count: min(samples.count, windowSampleCount), paddedCount: windowSampleCount)
    }

    /// Features of the whole signal, `[melCount, samples / hopLength]`, with one maximum for all of it.
    package func whole(_ samples: [Float]) -> LogMelFeatures {
        compute(samples, count: samples.count, paddedCount: samples.count)
    }

    /// - Parameters:
    ///   - count: number of samples used
    ///   - paddedCount: length after padding with zeros
    private func compute(_ samples: [Float], count: Int, paddedCount: Int) -> LogMelFeatures {
        let frames = paddedCount / parameters.hopLength, mels = parameters.melCount
        var loudest = -Float.infinity
        var values = [Float](unsafeUninitializedCapacity: mels * frames) { output, filled in
            samples.withUnsafeBufferPointer { signal in
                let used = UnsafeBufferPointer(rebasing: signal[0..<count])
                loudest = logPower(of: used, paddedCount: paddedCount, frames: frames, into: output)
            }
            filled = mels * frames
        }
        let floor = loudest - 8
        values.withUnsafeMutableBufferPointer { values in
            for i in 0..<values.count { values[i] = (max(values[i], floor) + 4) / 4 }
        }
        return LogMelFeatures(melCount: mels, frameCount: frames, values: values)
    }

    /// Writes log10 of the mel power, `[mels, frames]`, and returns the largest value.
    private func logPower(
        of signal: UnsafeBufferPointer<Float>, paddedCount: Int, frames: Int,
        into output: UnsafeMutableBufferPointer<Float>
    ) -> Float {
        let size = parameters.fftSize, hop = parameters.hopLength, mels = parameters.melCount, bins = filters.binCount
        // real, imaginary, scratch, power of two frames, mels of one frame
        let workspace = UnsafeMutablePointer<Double>.allocate(
            capacity: 2 * size + transform.scratchCount + 2 * bins + mels)
        defer { workspace.deallocate() }
        let real = workspace, imaginary = real + size, scratch = imaginary + size
        let power = scratch + transform.scratchCount, mel = power + 2 * bins
        var loudest = -Float.infinity

        var frame = 0
        while frame < frames {
            // Frames past the signal are all silence: the same value without the work.
            if frame * hop - size / 2 >= signal.count + size, frame * hop + size / 2 < paddedCount {
                for m in 0..<mels { output[m * frames + frame] = -10 }
                loudest = max(loudest, -10)
                frame += 1
                continue
            }
            // One complex transform computes two real frames, which are separated by symmetry.
            load(signal, paddedCount: paddedCount, start: frame * hop - size / 2, into: real)
            load(signal, paddedCount: paddedCount, start: (frame + 1) * hop - size / 2, into: imaginary)
            transform.transform(real: real, imaginary: imaginary, scratch: scratch)
            for k in 0..<bins {
                let mirror = k == 0 ? 0 : size - k
                let evenReal = real[k] + real[mirror], evenImaginary = imaginary[k] - imaginary[mirror]
                let oddReal = imaginary[k] + imaginary[mirror], oddImaginary = real[mirror] - real[k]
                power[k] = (evenReal * evenReal + evenImaginary * evenImaginary) / 4
                power[bins + k] = (oddReal * oddReal + oddImaginary * oddImaginary) / 4
            }
            for lane in 0..<min(2, frames - frame) {
                filters.apply(power: power + lane * bins, output: mel)
                for m in 0..<mels {
                    let value = Float(log10(max(mel[m], 1e-10)))
                    loudest = max(loudest, value)
                    output[m * frames + frame + lane] = value
                }
            }
            frame += 2
        }
        return loudest
    }

    /// Windowed samples `start ..< start + fftSize` of the padded signal, mirrored (without repeating the edge) at its ends.
    @inline(__always)
    private func load(
        _ signal: UnsafeBufferPointer<Float>, paddedCount: Int, start: Int, into frame: UnsafeMutablePointer<Double>
    ) {
        let size = parameters.fftSize
        hann.withUnsafeBufferPointer { hann in
            if start >= 0, start + size <= signal.count {
                for i in 0..<size { frame[i] = Double(signal[start + i]) * hann[i] }
                return
            }
            let period = max(2 * (paddedCount - 1), 1)
            for i in 0..<size {
                var index = (start + i) % period
                if index < 0 { index += period }
                if index >= paddedCount { index = period - index }
                frame[i] = index < signal.count ? Double(signal[index]) * hann[i] : 0
            }
        }
    }
}

/// Log-mel features of a signal, row-major `[melCount, frameCount]` as in the reference implementations.
package struct LogMelFeatures: Sendable, Equatable {
    package let melCount: Int
    package let frameCount: Int
    package let values: [Float]

    package init(melCount: Int, frameCount: Int, values: [Float]) {
        precondition(values.count == melCount * frameCount, "values are [melCount, frameCount]")
        self.melCount = melCount
        self.frameCount = frameCount
        self.values = values
    }
}
