/// ggml's "K" formats: super-blocks of 256 elements in sub-blocks of 16 or 32, whose small scales (and minima) are
/// themselves quantized and share one half-precision factor per super-block.
/// Layouts: github.com/ggml-org/ggml, src/ggml-common.h.
enum KBlocks {
    /// 16 bytes of 4-bit scale and minimum, 64 bytes of 2-bit quants, `d`, `dmin`: d·scale·q − dmin·min, sub-blocks of 16.
    static let q2_k: BlockFormat.Decoder = { source, target in
        let d = source.half(80)
        let dmin = source.half(82)
        forEachQuarter { sub, first, shift, output in
            let packed = source.byte(sub)
            let scale = d * Float(packed & 15)
            let minimum = dmin * Float(packed >> 4)
            for l in 0..<16 { target[output + l] = scale * Float(source.byte(16 + first + l) >> shift & 3) - minimum }
        }
    }

    /// 32 bytes of third bits, 64 bytes of 2-bit quants, 12 bytes of 6-bit scales, `d`: d·(scale − 32)·(q − 4), sub-blocks
    /// of 16. A third bit that is *not* set subtracts the 4.
    static let q3_k: BlockFormat.Decoder = { source, target in
        let d = source.half(108)
        forEachQuarter { sub, first, shift, output in
            let low = source.byte(96 + sub % 8) >> (sub < 8 ? 0 : 4) & 15
            let high = source.byte(104 + sub % 4) >> (2 * (sub / 4)) & 3
            let scale = d * Float(Int(low | high << 4) - 32)
            // The eight groups of 32 elements use bits 0 to 7 of the same 32 bytes.
            let bit = UInt8(1) << (sub / 2)
            for l in 0..<16 {
                let quant = Int(source.byte(32 + first + l) >> shift & 3)
                target[output + l] = scale * Float(quant - (source.byte(first % 32 + l) & bit == 0 ? 4 : 0))
            }
        }
    }

    /// `d`, `dmin`, 12 bytes of 6-bit scales and minima, 128 bytes of nibbles: d·scale·q − dmin·min, sub-blocks of 32.
    static let q4_k: BlockFormat.Decoder = { source, target in
        let d = source.half()
        let dmin = source.half(2)
        for sub in 0..<8 {
            let (scale, minimum) = sixBitPair(source + 4, sub)
            let (factor, offset) = (d * Float(scale), dmin * Float(minimum))
            for l in 0..<32 {
                let quant = source.byte(16 + sub / 2 * 32 + l) >> (sub % 2 * 4) & 15
                target[sub * 32 + l] = factor * Float(quant) - offset
            }
        }
    }

    /// As `q4_k` with 32 bytes of fifth bits before the nibbles: sub-block `s` uses bit `s` of each.
    static let q5_k: BlockFormat.Decoder = { source, target in
        let d = source.half()
        let dmin = source.half(2)
        for sub in 0..<8 {
            let (scale, minimum) = sixBitPair(source + 4, sub)
            let (factor, offset) = (d * Float(scale), dmin * Float(minimum))
            for l in 0..<32 {
                let low = source.byte(48 + sub / 2 * 32 + l) >> (sub % 2 * 4) & 15
                let high = source.byte(16 + l) >> sub & 1
                target[sub * 32 + l] = factor * Float(low | high << 4) - offset
            }
        }
    }

    /// 128 bytes of nibbles, 64 bytes of two upper bits, 16 × i8 scales, `d`: d·scale·(q − 32), sub-blocks of 16.
    static let q6_k: BlockFormat.Decoder = { source, target in
        let d = source.half(208)
        for half in 0..<2 {
            for quarter in 0..<4 {
                for l in 0..<32 {
                    let low = source.byte(half * 64 + quarter % 2 * 32 + l) >> (quarter / 2 * 4) & 15
                    let high = source.byte(128 + half * 32 + l) >> (quarter * 2) & 3
                    let scale = d * Float(source.signedByte(192 + half * 8 + quarter * 2 + l / 16))
                    target[half * 128 + quarter * 32 + l] = scale * Float(Int(low | high << 4) - 32)
                }
            }
        }
    }

    /// `d` in single precision, 256 × i8, sums that only integer dot products use: d·q
    static let q8_k: BlockFormat.Decoder = { source, target in
        let d = Float(bitPattern: source.littleEndian())
        for j in 0..<256 { target[j] = d * Float(source.signedByte(4 + j)) }
    }

    /// Walks the 16 sub-blocks of the 2-bit formats: each half of the super-block has 32 bytes whose bit pairs 0, 2, 4, 6
    /// hold four groups of 32 elements, two sub-blocks each.
    private static func forEachQuarter(_ body: (_ sub: Int, _ firstByte: Int, _ shift: Int, _ output: Int) -> Void) {
        for sub in 0..<16 {
            body(sub, sub / 8 * 32 + sub % 2 * 16, sub % 8 / 2 * 2, sub * 16)
        }
    }

    /// Scale and minimum of sub-block `sub`: the first four are in the low six bits of bytes 0-3 and 4-7, the others have
    /// their low nibbles in bytes 8-11 and their upper two bits on top of the first.
    private static func sixBitPair(_ packed: UnsafeRawPointer, _ sub: Int) -> (UInt8, UInt8) {
        if sub < 4 { return (packed.byte(sub) & 63, packed.byte(sub + 4) & 63) }
        return (
            packed.byte(sub + 4) & 15 | (packed.byte(sub - 4) >> 6) << 4,
            packed.byte(sub + 4) >> 4 | (packed.byte(sub) >> 6) << 4
        )
    }
}
