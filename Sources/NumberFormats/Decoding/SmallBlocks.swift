/// ggml's formats of 32 elements a block: a half-precision scale `d` (and for the `_1` formats a minimum `m`), then the
/// quants. Byte `j` of packed quants holds element `j` in its low and element `j + 16` in its high nibble.
/// Layouts: github.com/ggml-org/ggml, src/ggml-common.h.
enum SmallBlocks {
    /// `d`, 32 × i8: d·q
    static let q8_0: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for j in 0..<32 { target[j] = d * Float(source.signedByte(2 + j)) }
    }

    /// `d`, 16 bytes of nibbles: d·(q − 8)
    static let q4_0: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for j in 0..<16 {
            let pair = source.byte(2 + j)
            target[j] = d * Float(Int(pair & 15) - 8)
            target[j + 16] = d * Float(Int(pair >> 4) - 8)
        }
    }

    /// `d`, `m`, 16 bytes of nibbles: d·q + m
    static let q4_1: BlockFormat.Decoder = { source, target in
        let d = source.half()
        let m = source.half(2)
        for j in 0..<16 {
            let pair = source.byte(4 + j)
            target[j] = d * Float(pair & 15) + m
            target[j + 16] = d * Float(pair >> 4) + m
        }
    }

    /// `d`, 32 fifth bits, 16 bytes of nibbles: d·(q − 16)
    static let q5_0: BlockFormat.Decoder = { source, target in
        let d = source.half()
        fiveBits(source + 2) { j, quant in target[j] = d * Float(quant - 16) }
    }

    /// `d`, `m`, 32 fifth bits, 16 bytes of nibbles: d·q + m
    static let q5_1: BlockFormat.Decoder = { source, target in
        let d = source.half()
        let m = source.half(2)
        fiveBits(source + 4) { j, quant in target[j] = d * Float(quant) + m }
    }

    /// `d`, 16 bytes of nibbles that index a table of unevenly spaced levels: d·levels[q]
    static let iq4_nl: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for j in 0..<16 {
            let pair = source.byte(2 + j)
            target[j] = d * levels[Int(pair & 15)]
            target[j + 16] = d * levels[Int(pair >> 4)]
        }
    }

    /// A super-block of eight such blocks: `d`, 8 × 2 upper bits and 8 × 4 lower bits of their scales, the nibbles:
    /// d·(scale − 32)·levels[q]
    static let iq4_xs: BlockFormat.Decoder = { source, target in
        let d = source.half()
        let upper: UInt16 = source.littleEndian(2)
        for block in 0..<8 {
            let low = source.byte(4 + block / 2) >> (block % 2 * 4) & 15
            let factor = d * Float(Int(low) | Int(upper >> (2 * block) & 3) << 4 - 32)
            for j in 0..<16 {
                let pair = source.byte(8 + 16 * block + j)
                target[32 * block + j] = factor * levels[Int(pair & 15)]
                target[32 * block + j + 16] = factor * levels[Int(pair >> 4)]
            }
        }
    }

    /// The exponent of a scale (E8M0), 16 bytes of 4-bit floats (E2M1): 2^(e − 128)·q, with the floats doubled
    /// and the scale halved, as ggml has them.
    static let mxfp4: BlockFormat.Decoder = { source, target in
        let exponent = UInt32(source.byte(0))
        let d = Float(bitPattern: exponent < 2 ? 0x0020_0000 << exponent : (exponent - 1) << 23)
        for j in 0..<16 {
            let pair = source.byte(1 + j)
            target[j] = d * doubledFloats[Int(pair & 15)]
            target[j + 16] = d * doubledFloats[Int(pair >> 4)]
        }
    }

    private static let doubledFloats: [Float] = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]

    static let levels: [Float] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]

    private static func fiveBits(_ source: UnsafeRawPointer, _ store: (Int, Int) -> Void) {
        let high: UInt32 = source.littleEndian()
        for j in 0..<16 {
            let pair = source.byte(4 + j)
            store(j, Int(pair & 15) | Int(high >> j & 1) << 4)
            store(j + 16, Int(pair >> 4) | Int(high >> (j + 16) & 1) << 4)
        }
    }
}
