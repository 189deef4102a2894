import NumberFormats

private struct RandomWeightsPush: BitwiseCopyable {
    var result: UInt64
    var firstRow, rowWords, columns, randomWords, period, constant, seed: UInt32
    var scale: Float
}

/// Random blocks of a quantized format whose values lie within ±2^exponent: random bits but for their factors.
package struct RandomBlocks: Sendable, Hashable {
    /// Words of a row that are random.
    package let randomWords: Int
    /// Distance of the random words that hold factors instead; 0 where the factors lie behind all random words.
    package let period: Int
    /// The factors: the scale twice, scale and minimum, or four exponents.
    package let constant: UInt32

    /// `nil` for formats without blocks on the device.
    package init?(_ format: ElementFormat, columns: Int, scale: Float) {
        guard let block = format.deviceBlock, let factor = block.factors.first else { return nil }
        // The bytes before the part with the factors; none where a block is one part, which then begins with them.
        let before = block.parts.prefix { !$0.contains(factor) }.reduce(0) { $0 + $1.count }
        period = before == 0 ? format.bytesPerBlock / 4 : 0
        randomWords = columns / format.elementsPerBlock * (before == 0 ? format.bytesPerBlock : before) / 4
        if block.areExponents {
            constant = (scale / block.largest * 2).bitPattern >> 23 * 0x0101_0101
            return
        }
        let first = HalfPrecision.f16(scale / block.largest)
        let second = HalfPrecision.f16((block.minimum ?? 1) * scale / block.largest)
        constant = UInt32(first) | UInt32(second) << 16
    }
}

/// The hash from which random weights are made: that of random/weights.comp.
package func randomWord(_ index: UInt32, seed: UInt32) -> UInt32 {
    let state = (index &+ seed) &* 747_796_405 &+ 2_891_336_453
    let word = ((state >> ((state >> 28) + 4)) ^ state) &* 277_803_737
    return (word >> 22) ^ word
}

/// The first `count` values of a random f32 matrix within ±2^exponent, made on the host: for tensors too small for a kernel.
package func randomFloats(count: Int, exponent: Int, seed: UInt32) -> [Float] {
    let scale = Float(sign: .plus, exponent: exponent, significand: 1)
    return (0..<count).map { Float(Int(randomWord(UInt32($0), seed: seed) & 0xffff) - 0x8000) / 0x8000 * scale }
}

extension CommandStream {
    /// Fills a weight matrix with random values within ±2^exponent; the same seed gives the same values on any device.
    /// Rows are written one after another: panels are arranged afterwards.
    package func fillRandom(_ matrix: WeightMatrix, exponent: Int, seed: UInt32) throws {
        let scale = Float(sign: .plus, exponent: exponent, significand: 1)
        let blocks = RandomBlocks(matrix.format, columns: matrix.columns, scale: scale)
        precondition(
            blocks != nil || LinearSelection.plainFormats.contains(matrix.format),
            "no random weights in \(matrix.format.rawValue)")
        let rowWords = WeightMatrix.rowBytes(columns: matrix.columns, format: matrix.format) / 4
        let limit = device.properties.maxWorkgroupCount[1]
        var plain = matrix
        plain.rowsPerPanel = 1
        for first in stride(from: 0, to: matrix.rows, by: limit) {
            let rows = plain.rows(first..<min(first + limit, matrix.rows))
            let push = RandomWeightsPush(
                result: rows.address, firstRow: UInt32(first), rowWords: UInt32(rowWords),
                columns: UInt32(matrix.columns),
                randomWords: UInt32(blocks?.randomWords ?? 0), period: UInt32(blocks?.period ?? 0),
                constant: blocks?.constant ?? 0, seed: seed,
                scale: scale)
            try dispatch(
                KernelChoice(
                    KernelVariant("random/weights_\(blocks == nil ? matrix.format.rawValue : "blocks")"),
                    x: divideRoundingUp(rowWords, device.properties.subgroupSize * 16), y: rows.rows),
                push: push, reads: [], writes: [rows.byteRange], label: "random weights")
        }
    }
}
