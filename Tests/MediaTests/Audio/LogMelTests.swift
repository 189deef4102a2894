import Foundation
import TestSupport
import Testing

@testable import Media

extension LogMelFeatures {
    fileprivate func frames(_ range: Range<Int>, mel: Int) -> ArraySlice<Float> {
        values[mel * frameCount + range.lowerBound..<mel * frameCount + range.upperBound]
    }
}

@Suite struct LogMelTests {
    @Test(
        "a transform of any length equals the definition", arguments: [1, 2, 3, 4, 5, 7, 12, 49, 60, 77, 97, 128, 400])
    func transform(length: Int) {
        var generator = SystemRandomNumberGenerator()
        let real = (0..<length).map { _ in Double.random(in: -1...1, using: &generator) }
        let imaginary = (0..<length).map { _ in Double.random(in: -1...1, using: &generator) }
        let plan = FourierTransform(length: length)
        var gotReal = real, gotImaginary = imaginary, scratch = [Double](repeating: 0, count: plan.scratchCount)
        gotReal.withUnsafeMutableBufferPointer { r in
            gotImaginary.withUnsafeMutableBufferPointer { i in
                scratch.withUnsafeMutableBufferPointer { s in
                    plan.transform(real: r.baseAddress!, imaginary: i.baseAddress!, scratch: s.baseAddress!)
                }
            }
        }
        for k in 0..<length {
            var sumReal = 0.0, sumImaginary = 0.0
            for n in 0..<length {
                let angle = -2 * Double.pi * Double(n * k % length) / Double(length)
                sumReal += real[n] * cos(angle) - imaginary[n] * sin(angle)
                sumImaginary += real[n] * sin(angle) + imaginary[n] * cos(angle)
            }
            #expect(abs(gotReal[k] - sumReal) < 1e-12 * Double(length))
            #expect(abs(gotImaginary[k] - sumImaginary) < 1e-12 * Double(length))
        }
    }

    @Test(
        "equal to transformers' feature extractor", .needsLargeFixtures,
        arguments: ["whisper-80", "whisper-128"])
    func golden(model: String) throws {
        let file = try Fixtures.preprocessorConfig(model)
        let parameters = LogMelSpectrogram.Parameters(
            melCount: try file.int("feature_size"), sampleRate: try file.int("sampling_rate"),
            fftSize: try file.int("n_fft"), hopLength: try file.int("hop_length"),
            windowSeconds: try file.int("chunk_length"))
        let extractor = try LogMelSpectrogram(parameters)
        let recording = try AudioFile.load(path: Fixtures.input("audio.wav"), sampleRate: parameters.sampleRate)
        #expect(recording.samples.count == 180_800)
        let features = extractor.window(recording.samples)
        #expect(features.melCount == parameters.melCount)
        #expect(features.frameCount == 3000)
        let golden = try Fixtures.golden(model)
        let head = try golden.floats("features.head"), tail = try golden.floats("features.tail")
        let gotHead = (0..<features.melCount).flatMap { features.frames(0..<1200, mel: $0) }
        let gotTail = (0..<features.melCount).flatMap { features.frames(1200..<3000, mel: $0) }
        // The reference computes in float32; its own float64 path differs by up to 2.6e-5 (see golden.json).
        #expect(largestDifference(gotHead, head) < 3e-5)
        #expect(largestDifference(gotTail, repeatElement(tail[0], count: gotTail.count)) < 1e-5)
    }

    @Test("long recordings share one loudest value")
    func long() throws {
        let extractor = try LogMelSpectrogram()
        // 20 s quiet, 20 s loud: alone, the quiet part is normalized by itself; in the whole it stays quiet.
        let quiet = sine(440, rate: 16_000, seconds: 20, amplitude: 1e-4),
            loud = sine(440, rate: 16_000, seconds: 20, amplitude: 0.9)
        let features = extractor.whole(quiet + loud)
        #expect(features.frameCount == 4000)
        let alone = extractor.window(quiet)
        #expect(alone.frameCount == 3000)
        let loudest = features.values.max() ?? 0
        #expect(features.values.min() == loudest - 2)
        let start = (0..<features.melCount).flatMap { features.frames(0..<1000, mel: $0) }
        #expect(start.max()! < loudest - 1.5)
        #expect(alone.values.max()! < loudest - 1.5)
        #expect(start.min()! > alone.values.min()!)
    }

    @Test(
        "silence, nothing and a handful of samples are finite", arguments: [0, 1, 2, 159, 160, 200, 201, 399, 480_001])
    func short(count: Int) throws {
        let extractor = try LogMelSpectrogram()
        let samples = [Float](repeating: 0, count: count)
        #expect(extractor.whole(samples).frameCount == count / 160)
        let window = extractor.window(samples)
        #expect(window.frameCount == 3000)
        // log10(1e-10) = -10 everywhere.
        #expect(window.values.allSatisfy { $0 == -1.5 })
        var impulse = samples
        if count > 0 { impulse[0] = 1 }
        #expect(extractor.whole(impulse).values.allSatisfy { $0.isFinite })
    }

    @Test("skipping the silence after the signal changes nothing")
    func silentTail() throws {
        let extractor = try LogMelSpectrogram()
        let signal = sine(1000, rate: 16_000, seconds: 1.23)
        let padded = signal + [Float](repeating: 0, count: 480_000 - signal.count)
        #expect(extractor.window(signal) == extractor.window(padded))
        #expect(extractor.whole(padded) == extractor.window(padded))
    }

    @Test(
        "absurd parameters of a downloaded file are refused",
        arguments: [
            LogMelSpectrogram.Parameters(melCount: 0), .init(melCount: 1 << 40), .init(sampleRate: -1),
            .init(fftSize: 0),
            .init(hopLength: 0), .init(windowSeconds: 1 << 50),
        ])
    func absurd(parameters: LogMelSpectrogram.Parameters) {
        #expect(throws: MediaError.self) { try LogMelSpectrogram(parameters) }
    }
}

/// Times are only meaningful in release: `swift test -c release -Xswiftc -enable-testing --filter MediaSpeed`.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["FOVEA_BENCH"] != nil, "set FOVEA_BENCH"))
struct MediaSpeedTests {
    @Test("a 30 s window in at most 40 ms on one core", arguments: [80, 128])
    func logMel(mels: Int) throws {
        let extractor = try LogMelSpectrogram(.init(melCount: mels))
        let samples = (0..<480_000).map { _ in Float.random(in: -1...1) }
        let clock = ContinuousClock()
        let best = (0..<5).map { _ in clock.measure { _ = extractor.window(samples) } }.min()!
        print("log-mel, \(mels) mels, 30 s: \(best)")
        #expect(best < .milliseconds(40))
    }

    @Test("a minute of 44.1 kHz in at most a second")
    func resampling() throws {
        let samples = (0..<44_100 * 60).map { _ in Float.random(in: -1...1) }
        let elapsed = try ContinuousClock().measure { _ = try Resampler.resample(samples, from: 44_100, to: 16_000) }
        print("resampling 60 s of 44.1 kHz: \(elapsed)")
        #expect(elapsed < .seconds(1))
    }
}
