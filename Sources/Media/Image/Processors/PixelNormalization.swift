/// Normalization of 8-bit levels: `(level · rescaleFactor − mean) / std`, in float32 after the product, as in the reference
/// processors.
struct PixelNormalization: Sendable, Equatable {
    /// `[3, 256]`.
    private let table: [Float]

    /// OpenAI's statistics, for CLIP and BLIP.
    static let clip = (mean: [0.48145466, 0.4578275, 0.40821073], std: [0.26862954, 0.26130258, 0.27577711])
    /// −1 to 1, for ViT, Mllama and SigLIP.
    static let standard = (mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5])

    init(_ configuration: ImageProcessorConfiguration, defaults: (mean: [Double], std: [Double])) throws(MediaError) {
        let factor = configuration.doRescale ?? true ? configuration.rescaleFactor ?? 1.0 / 255 : 1
        let normalize = configuration.doNormalize ?? true
        let mean = normalize ? configuration.imageMean ?? defaults.mean : [0, 0, 0]
        let std = normalize ? configuration.imageStd ?? defaults.std : [1, 1, 1]
        guard mean.count == 3, mean.allSatisfy({ $0.isFinite }) else {
            throw .invalidParameter(name: "image_mean", value: "\(mean.prefix(8))", expected: "three numbers")
        }
        guard std.count == 3, std.allSatisfy({ $0.isFinite && Float($0) != 0 }) else {
            throw .invalidParameter(
                name: "image_std", value: "\(std.prefix(8))", expected: "three numbers other than 0")
        }
        guard factor.isFinite else {
            throw .invalidParameter(name: "rescale_factor", value: "\(factor)", expected: "a number")
        }
        table = (0..<3 * 256).map { i in
            let value = Float(Double(i % 256) * factor)
            return normalize ? (value - Float(mean[i / 256])) / Float(std[i / 256]) : value
        }
    }

    /// Normalizes the first `tileCount` tiles of `[slots, 3, tilePixels]`; the empty slots are 0.
    func apply(_ levels: [UInt8], tileCount: Int, tilePixels: Int) -> [Float] {
        [Float](unsafeUninitializedCapacity: levels.count) { output, filled in
            output.initialize(repeating: 0)
            for plane in 0..<tileCount * 3 {
                let channel = plane % 3 * 256
                for i in plane * tilePixels..<(plane + 1) * tilePixels { output[i] = table[channel + Int(levels[i])] }
            }
            filled = levels.count
        }
    }
}
