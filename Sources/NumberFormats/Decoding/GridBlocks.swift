/// ggml's "IQ2" and "IQ3" formats: super-blocks of 256 elements, in which an index chooses the magnitudes of four or eight
/// elements from a ``GridTable``, beside sign bits and 4-bit scales; and the ternary "TQ" formats.
/// Layouts: github.com/ggml-org/ggml, src/ggml-common.h.
enum GridBlocks {
    /// `d`, then for each 32 elements four indices of 8 bits and a word of 4 × 7 signs and a scale: d·(½ + scale)/4·q
    static let iq2_xxs: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for sub in 0..<8 {
            let packed: UInt32 = source.littleEndian(2 + 8 * sub + 4)
            let scale = d * (0.5 + Float(packed >> 28)) * 0.25
            for l in 0..<4 {
                GridTable.iq2xxs.write(
                    Int(source.byte(2 + 8 * sub + l)), scale: scale, signs: signs(packed >> (7 * l)),
                    to: target + 32 * sub + 8 * l)
            }
        }
    }

    /// `d`, 32 × 9-bit index and 7 signs, 16 × 4-bit scale: d·(½ + scale)/4·q, sub-blocks of 16
    static let iq2_xs: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for point in 0..<32 {
            let packed: UInt16 = source.littleEndian(2 + 2 * point)
            GridTable.iq2xs.write(
                Int(packed & 511), scale: quarter(d, source.byte(66 + point / 4), point),
                signs: signs(UInt32(packed >> 9)),
                to: target + 8 * point)
        }
    }

    /// `d`, 32 × 8 lower bits of the index, 32 bytes of signs, 32 × 2 upper bits, 16 × 4-bit scale: d·(½ + scale)/4·q,
    /// sub-blocks of 16
    static let iq2_s: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for point in 0..<32 {
            let upper = Int(source.byte(66 + point / 4)) >> (2 * (point % 4)) & 3
            GridTable.iq2s.write(
                Int(source.byte(2 + point)) | upper << 8, scale: quarter(d, source.byte(74 + point / 4), point),
                signs: source.byte(34 + point), to: target + 8 * point)
        }
    }

    /// `d`, 64 indices of 8 bits, then for each 32 elements a word of 4 × 7 signs and a scale: d·(½ + scale)/2·q
    static let iq3_xxs: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for point in 0..<64 {
            let packed: UInt32 = source.littleEndian(66 + point / 8 * 4)
            let scale = d * (0.5 + Float(packed >> 28)) * 0.5
            let eight = signs(packed >> (7 * (point / 2 % 4)))
            GridTable.iq3xxs.write(
                Int(source.byte(2 + point)), scale: scale, signs: eight >> UInt8(point % 2 * 4), to: target + 4 * point)
        }
    }

    /// `d`, 64 × 8 lower bits of the index, 64 upper bits, 32 bytes of signs, 8 × 4-bit scale: d·(1 + 2·scale)·q
    static let iq3_s: BlockFormat.Decoder = { source, target in
        let d = source.half()
        for point in 0..<64 {
            let upper = Int(source.byte(66 + point / 8)) >> (point % 8) & 1
            let scale = source.byte(106 + point / 16) >> UInt8(point / 8 % 2 * 4) & 15
            GridTable.iq3s.write(
                Int(source.byte(2 + point)) | upper << 8, scale: d * Float(1 + 2 * Int(scale)),
                signs: source.byte(74 + point / 2) >> UInt8(point % 2 * 4), to: target + 4 * point)
        }
    }

    /// 52 bytes of up to five base-3 digits, `d`: d·(q − 1). A digit is the upper part of the byte times a power of 3.
    static let tq1_0: BlockFormat.Decoder = { source, target in
        let d = source.half(52)
        var element = 0
        for (first, count, digits) in [(0, 32, 5), (32, 16, 5), (48, 4, 4)] {
            var power: UInt8 = 1
            for _ in 0..<digits {
                for byte in first..<first + count {
                    target[element] = d * Float(Int((UInt16(source.byte(byte) &* power) * 3) >> 8) - 1)
                    element += 1
                }
                power &*= 3
            }
        }
    }

    /// 64 bytes of 2-bit quants, `d`: d·(q − 1). Each 32 bytes hold four groups of 32 elements in bits 0, 2, 4, 6.
    static let tq2_0: BlockFormat.Decoder = { source, target in
        let d = source.half(64)
        for element in 0..<256 {
            let quant = source.byte(element / 128 * 32 + element % 32) >> UInt8(element / 32 % 4 * 2) & 3
            target[element] = d * Float(Int(quant) - 1)
        }
    }

    /// Seven signs and, as the eighth, their parity.
    private static func signs(_ packed: UInt32) -> UInt8 {
        let seven = UInt8(packed & 127)
        return seven | UInt8(seven.nonzeroBitCount & 1) << 7
    }

    /// The scale of a point of eight elements, of which two share four bits.
    private static func quarter(_ d: Float, _ packed: UInt8, _ point: Int) -> Float {
        d * (0.5 + Float(packed >> UInt8(point % 4 / 2 * 4) & 15)) * 0.25
    }
}
