import Compute
import NumberFormats

extension Reference {
    /// The words of a matrix of random weights, as it lies on the device.
    package static func randomWeights(rows: Int, columns: Int, format: ElementFormat, exponent: Int, seed: UInt32)
        -> [UInt32]
    {
        let scale = Float(sign: .plus, exponent: exponent, significand: 1)
        let blocks = RandomBlocks(format, columns: columns, scale: scale)
        let rowWords = WeightMatrix.rowBytes(columns: columns, format: format) / 4
        func number(_ random: UInt32, bits: Int) -> Float {
            let half = 1 << (bits - 1)
            return Float(Int(random) & (2 * half - 1) - half) / Float(half) * scale
        }
        return (0..<rows * rowWords).map { index in
            let place = index % rowWords
            let random = randomWord(UInt32(index), seed: seed)
            if let blocks {
                return place < blocks.randomWords && (blocks.period == 0 || place % blocks.period != 0)
                    ? random : blocks.constant
            }
            switch format {
            case .f32: return place < columns ? number(random, bits: 16).bitPattern : 0
            case .f16, .bf16:
                func half(_ column: Int, _ random: UInt32) -> UInt32 {
                    guard column < columns else { return 0 }
                    return UInt32(
                        format == .f16
                            ? HalfPrecision.f16(number(random, bits: 11)) : HalfPrecision.bf16(number(random, bits: 8)))
                }
                return half(2 * place, random) | half(2 * place + 1, random >> 16) << 16
            default: preconditionFailure("no random weights in \(format.rawValue)")
            }
        }
    }
}
