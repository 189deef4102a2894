import Foundation
import Testing

@testable import Media

@Suite struct ResamplerTests {
    static let rates = [8000, 11_025, 22_050, 32_000, 44_100, 48_000, 96_000, 192_000, 15_999, 44_101]

    @Test("length is ceil(n · out / in), whatever the block sizes", arguments: rates)
    func length(rate: Int) throws {
        for count in [0, 1, 2, 441, 5000] {
            let input = (0..<count).map { Float(sin(Double($0) * 0.05)) }
            let whole = try Resampler.resample(input, from: rate, to: 16_000)
            #expect(whole.count == (count * 16_000 + rate - 1) / rate)
            var resampler = try Resampler(from: rate, to: 16_000)
            var pieces: [Float] = []
            var start = 0
            for size in [1, 7, 64, 1000, 4000] where start < count {
                pieces += resampler.process(Array(input[start..<min(start + size, count)]))
                start += size
            }
            pieces += resampler.finish()
            #expect(pieces == whole)
        }
    }

    @Test("a sine in the pass band keeps its level within 0.1 dB and its phase", arguments: rates)
    func passBand(rate: Int) throws {
        let nyquist = Double(min(rate, 16_000)) / 2
        for fraction in [0.01, 0.3, 0.7, 0.88] {
            let hertz = nyquist * fraction
            let output = try Resampler.resample(sine(hertz, rate: rate, seconds: 0.25), from: rate, to: 16_000)
            let middle = output[(output.count / 4)..<(output.count * 3 / 4)]
            let decibels = 20 * log10(amplitude(of: hertz, in: middle, rate: 16_000) / 0.5)
            #expect(abs(decibels) < 0.1, "\(hertz) Hz: \(decibels) dB")
            let expected = sine(hertz, rate: 16_000, seconds: 0.25)
            #expect(largestDifference(middle, expected[middle.indices]) < 1e-3)
        }
    }

    @Test("what lies above the output's band is more than 80 dB down", arguments: rates.filter { $0 > 16_200 })
    func aliasing(rate: Int) throws {
        for hertz in [8000.0, 8100, 9000, Double(rate) / 2 * 0.99] where hertz < Double(rate) / 2 {
            let output = try Resampler.resample(sine(hertz, rate: rate, seconds: 0.25), from: rate, to: 16_000)
            let middle = output[(output.count / 4)..<(output.count * 3 / 4)]
            let peak = middle.reduce(Float(0)) { max($0, abs($1)) }
            #expect(20 * log10(peak / 0.5) < -80, "\(hertz) Hz: \(20 * log10(peak / 0.5)) dB")
        }
    }

    @Test("images of the input's band do not appear when the rate rises", arguments: [8000, 11_025])
    func imaging(rate: Int) throws {
        let hertz = Double(rate) * 0.4
        let output = try Resampler.resample(sine(hertz, rate: rate, seconds: 0.25), from: rate, to: 16_000)
        let middle = output[(output.count / 4)..<(output.count * 3 / 4)]
        let image = amplitude(of: Double(rate) - hertz, in: middle, rate: 16_000)
        #expect(20 * log10(image / 0.5) < -80)
    }

    @Test("a constant stays constant, an equal rate changes nothing")
    func trivial() throws {
        let output = try Resampler.resample([Float](repeating: 0.25, count: 5000), from: 44_100, to: 16_000)
        #expect(output[200..<1600].allSatisfy { abs($0 - 0.25) < 1e-6 })
        let noise = (0..<100).map { _ in Float.random(in: -1...1) }
        #expect(try Resampler.resample(noise, from: 16_000, to: 16_000) == noise)
    }

    @Test("absurd rates are refused", arguments: [(0, 16_000), (16_000, -1), (Int.max, 16_000), (1, 16_000)])
    func absurd(rates: (Int, Int)) {
        #expect(throws: MediaError.self) { try Resampler(from: rates.0, to: rates.1) }
    }
}
