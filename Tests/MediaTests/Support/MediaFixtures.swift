import JSON
import TestSupport

@testable import Media

extension Fixtures {
    static func input(_ name: String) -> String { model("inputs/\(name)").path }

    static func preprocessorConfig(_ name: String) throws -> JSONReader {
        try JSONReader(contentsOf: model("\(name)/preprocessor_config.json").path)
    }

    static func imageProcessor(_ name: String) throws -> any ImageProcessor {
        try ImageProcessors.make(ImageProcessorConfiguration(preprocessorConfig(name)))
    }
}

extension Resampler {
    /// A whole signal at once.
    static func resample(_ samples: [Float], from inputRate: Int, to outputRate: Int) throws -> [Float] {
        var resampler = try Resampler(from: inputRate, to: outputRate)
        return resampler.process(samples) + resampler.finish()
    }
}

func largestDifference(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
    zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
