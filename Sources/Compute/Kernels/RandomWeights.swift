import NumberFormats

private struct RandomWeightsPush: BitwiseCopyable {
    var result: UInt64
    var firstRow, rowWords, columns, randomWords, period, constant, seed: UInt32
    var scale: Float
}

/// How random bits become blocks of a format whose values lie within ±2^exponent.
package struct RandomBlocks: Sendable, Hashable {
    /// Words of a row that are random.
    package let randomWords: Int
    /// Every how many of them one holds scales instead; 0 where scales lie behind them all.
    package let period: Int
    /// The scales: two of one kind, or scale and minimum.
    package let constant: UInt32

    /// Random words of a block, the period, and scale and minimum (nil: the scale once more) in parts of the largest value.
    private static let recipes: [ElementFormat: (words: Int, period: Int, scale: Float, second: Float?)] = [
        .q8_0: (8, 0, 1 / 128, nil), .q4_0: (4, 0, 1 / 8, nil), .iq4_nl: (4, 0, 1 / 128, nil), .q4_1: (4, 0, 1 / 8, -1),
        .q5_0: (5, 0, 1 / 16, nil), .q5_1: (5, 0, 1 / 16, -1),
        // Second factors that make the mean 0: the mean quant times the mean scale against the mean minimum.
        .q2_k: (20, 0, 1 / 64, 1.5 / 64), .q3_k: (27, 0, 1 / 128, nil), .q4_k: (36, 36, 1 / 1024, 7.5 / 1024),
        .q5_k: (44, 44, 1 / 2048, 15.5 / 2048), .q6_k: (52, 0, 1 / 4096, nil),
    ]

    /// `nil` for formats that are no blocks.
    package init?(_ format: ElementFormat, columns: Int, scale: Float) {
        guard let recipe = Self.recipes[format] else { return nil }
        randomWords = columns / format.elementsPerBlock * recipe.words
        period = recipe.period
        let first = HalfPrecision.f16(recipe.scale * scale)
        let second = HalfPrecision.f16((recipe.second ?? recipe.scale) * scale)
        constant = UInt32(first) | UInt32(second) << 16
    }
}

extension CommandStream {
    /// Fills a weight matrix with random values within ±2^exponent; the same seed gives the same values on any device.
    /// Rows are written one after another: panels are arranged afterwards.
    package func fillRandom(_ matrix: WeightMatrix, exponent: Int, seed: UInt32) throws {
        let scale = Float(sign: .plus, exponent: exponent, significand: 1)
        let blocks = RandomBlocks(matrix.format, columns: matrix.columns, scale: scale)
        precondition(
            blocks != nil || [.f32, .f16, .bf16].contains(matrix.format),
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
