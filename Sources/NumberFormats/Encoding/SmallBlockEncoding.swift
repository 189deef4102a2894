/// Encoding in ggml's formats of 32 elements with one scale, and in the `_1` formats a minimum.
/// Rules: github.com/ggml-org/ggml, src/ggml-quants.c, `quantize_row_*_ref`; the same values to the bit.
enum SmallBlockEncoding {
    /// The largest magnitude becomes 127; halves are rounded away from zero.
    static let q8_0: BlockFormat.BlockEncoder = { source, target in
        var largest: Float = 0
        for index in 0..<32 { largest = max(largest, abs(source[index])) }
        let (d, inverse) = scale(largest / 127)
        target.store(HalfPrecision.f16(d))
        for index in 0..<32 {
            let value = (source[index] * inverse).rounded(.toNearestOrAwayFromZero)
            target.store(Int8(value >= -128 && value <= 127 ? value : 0), at: 2 + index)
        }
    }

    static let q4_0: BlockFormat.BlockEncoder = { source, target in
        let (d, inverse) = scale(extreme(source) / -8)
        target.store(HalfPrecision.f16(d))
        for index in 0..<16 {
            let low = quant(source[index], inverse, offset: 8.5, limit: 15)
            let high = quant(source[16 + index], inverse, offset: 8.5, limit: 15)
            target.store(low | high << 4, at: 2 + index)
        }
    }

    static let q4_1: BlockFormat.BlockEncoder = { source, target in
        let (minimum, maximum) = range(source)
        let (d, inverse) = scale((maximum - minimum) / 15)
        target.store(HalfPrecision.f16(d))
        target.store(HalfPrecision.f16(minimum), at: 2)
        for index in 0..<16 {
            let low = quant((source[index] - minimum) * inverse + 0.5, limit: 15)
            let high = quant((source[16 + index] - minimum) * inverse + 0.5, limit: 15)
            target.store(low | high << 4, at: 4 + index)
        }
    }

    /// Nibbles, and the fifth bits of all elements in one word.
    static let q5_0: BlockFormat.BlockEncoder = { source, target in
        let (d, inverse) = scale(extreme(source) / -16)
        target.store(HalfPrecision.f16(d))
        var fifth: UInt32 = 0
        for index in 0..<16 {
            let low = quant(source[index], inverse, offset: 16.5, limit: 31)
            let high = quant(source[16 + index], inverse, offset: 16.5, limit: 31)
            target.store(low & 15 | high << 4, at: 6 + index)
            fifth |= UInt32(low >> 4) << index | UInt32(high >> 4) << (16 + index)
        }
        target.store(fifth, at: 2)
    }

    static let q5_1: BlockFormat.BlockEncoder = { source, target in
        let (minimum, maximum) = range(source)
        let (d, inverse) = scale((maximum - minimum) / 31)
        target.store(HalfPrecision.f16(d))
        target.store(HalfPrecision.f16(minimum), at: 2)
        var fifth: UInt32 = 0
        for index in 0..<16 {
            let low = quant((source[index] - minimum) * inverse + 0.5, limit: 31)
            let high = quant((source[16 + index] - minimum) * inverse + 0.5, limit: 31)
            target.store(low & 15 | high << 4, at: 8 + index)
            fifth |= UInt32(low >> 4) << index | UInt32(high >> 4) << (16 + index)
        }
        target.store(fifth, at: 4)
    }

    // MARK: Parts

    private static func scale(_ d: Float) -> (d: Float, inverse: Float) { (d, d == 0 ? 0 : 1 / d) }

    /// The first value of the largest magnitude, with its sign: it gets the outermost step, of which there is one more
    /// on the negative side.
    private static func extreme(_ source: UnsafePointer<Float>) -> Float {
        var (magnitude, value): (Float, Float) = (0, 0)
        for index in 0..<32 where abs(source[index]) > magnitude {
            (magnitude, value) = (abs(source[index]), source[index])
        }
        return value
    }

    private static func range(_ source: UnsafePointer<Float>) -> (Float, Float) {
        var (minimum, maximum) = (source[0], source[0])
        for index in 1..<32 {
            if source[index] < minimum { minimum = source[index] }
            if source[index] > maximum { maximum = source[index] }
        }
        return (minimum, maximum)
    }

    /// Product and sum are rounded once, as compilers fuse them in the original.
    private static func quant(_ value: Float, _ inverse: Float, offset: Double, limit: UInt8) -> UInt8 {
        quant(Float(Double(value) * Double(inverse) + offset), limit: limit)
    }

    /// Towards zero, within 0…limit; 0 for what is no number.
    private static func quant(_ value: Float, limit: UInt8) -> UInt8 {
        guard value >= 1 else { return 0 }
        return value >= Float(limit) ? limit : UInt8(value)
    }
}
