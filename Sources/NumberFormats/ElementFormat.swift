/// Number format of a stored tensor, in checkpoints and on the device.
///
/// The raw value is the lower-case name used in messages, in `fovea inspect` and in `--weights`.
package enum ElementFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case f64, f32, f16, bf16
    case i64, i32, i16, i8, u8, bool
    case q8_0, q4_0, q4_1, q5_0, q5_1
    case q2_k, q3_k, q4_k, q5_k, q6_k, q8_k
    case iq4_nl, iq4_xs, mxfp4
    case iq2_xxs, iq2_xs, iq2_s, iq3_xxs, iq3_s
    case tq1_0, tq2_0

    /// The table of formats: the only place that declares block sizes, ggml types, coders and the form kernels read.
    ///
    /// A format with a `kernels` form must be in Compute/Shaders/formats.list too; a test compares them.
    private var declaration: BlockFormat {
        switch self {
        case .f64: BlockFormat(bytes: 8, ggmlType: 28, decode: PlainElements.f64)
        case .f32:
            BlockFormat(
                bytes: 4, ggmlType: 0, decode: PlainElements.f32, encode: .array(PlainElements.f32Bytes),
                kernels: .elements)
        case .f16:
            BlockFormat(
                bytes: 2, ggmlType: 1, decode: PlainElements.f16, encode: .array(PlainElements.f16Bytes),
                kernels: .elements)
        case .bf16:
            BlockFormat(
                bytes: 2, ggmlType: 30, decode: PlainElements.bf16, encode: .array(PlainElements.bf16Bytes),
                kernels: .elements)
        case .i64: BlockFormat(bytes: 8, ggmlType: 27, decode: PlainElements.integer(Int64.self))
        case .i32: BlockFormat(bytes: 4, ggmlType: 26, decode: PlainElements.integer(Int32.self))
        case .i16: BlockFormat(bytes: 2, ggmlType: 25, decode: PlainElements.integer(Int16.self))
        case .i8: BlockFormat(bytes: 1, ggmlType: 24, decode: PlainElements.integer(Int8.self))
        case .u8: BlockFormat(bytes: 1, decode: PlainElements.integer(UInt8.self))
        case .bool: BlockFormat(bytes: 1, decode: PlainElements.bool)
        case .q8_0:
            BlockFormat(
                elements: 32, bytes: 34, ggmlType: 8, decode: SmallBlocks.q8_0,
                encode: .block(SmallBlockEncoding.q8_0),
                kernels: .blocks(DeviceBlock([2..<34, 0..<2], factors: [0], largest: 128)))
        case .q4_0:
            BlockFormat(
                elements: 32, bytes: 18, ggmlType: 2, decode: SmallBlocks.q4_0,
                encode: .block(SmallBlockEncoding.q4_0),
                kernels: .blocks(DeviceBlock([2..<18, 0..<2], factors: [0], largest: 8)))
        case .q4_1:
            BlockFormat(
                elements: 32, bytes: 20, ggmlType: 3, decode: SmallBlocks.q4_1,
                encode: .block(SmallBlockEncoding.q4_1),
                kernels: .blocks(DeviceBlock([4..<20, 0..<4], factors: [0, 2], largest: 8, minimum: -8)))
        case .q5_0:
            BlockFormat(
                elements: 32, bytes: 22, ggmlType: 6, decode: SmallBlocks.q5_0,
                encode: .block(SmallBlockEncoding.q5_0),
                kernels: .blocks(DeviceBlock([6..<22, 2..<6, 0..<2], factors: [0], largest: 16)))
        case .q5_1:
            BlockFormat(
                elements: 32, bytes: 24, ggmlType: 7, decode: SmallBlocks.q5_1,
                encode: .block(SmallBlockEncoding.q5_1),
                kernels: .blocks(DeviceBlock([8..<24, 4..<8, 0..<4], factors: [0, 2], largest: 16, minimum: -16)))
        // Of the K formats `minimum` makes the mean 0: the mean quant times the mean scale against the mean minimum.
        case .q2_k:
            BlockFormat(
                elements: 256, bytes: 84, ggmlType: 10, decode: KBlocks.q2_k,
                kernels: .blocks(DeviceBlock([0..<80, 80..<84], factors: [80, 82], largest: 64, minimum: 1.5)))
        case .q3_k:
            BlockFormat(
                elements: 256, bytes: 110, ggmlType: 11, decode: KBlocks.q3_k,
                kernels: .blocks(DeviceBlock([0..<96, 96..<108, 108..<110], factors: [108], largest: 128)))
        case .q4_k:
            BlockFormat(
                elements: 256, bytes: 144, ggmlType: 12, decode: KBlocks.q4_k,
                kernels: .blocks(DeviceBlock([0..<144], factors: [0, 2], largest: 1024, minimum: 7.5)))
        case .q5_k:
            BlockFormat(
                elements: 256, bytes: 176, ggmlType: 13, decode: KBlocks.q5_k,
                kernels: .blocks(DeviceBlock([0..<176], factors: [0, 2], largest: 2048, minimum: 15.5)))
        case .q6_k:
            BlockFormat(
                elements: 256, bytes: 210, ggmlType: 14, decode: KBlocks.q6_k,
                kernels: .blocks(DeviceBlock([0..<208, 208..<210], factors: [208], largest: 4096)))
        case .q8_k: BlockFormat(elements: 256, bytes: 292, ggmlType: 15, decode: KBlocks.q8_k)
        case .iq4_nl:
            BlockFormat(
                elements: 32, bytes: 18, ggmlType: 20, decode: SmallBlocks.iq4_nl,
                kernels: .blocks(DeviceBlock([2..<18, 0..<2], factors: [0], largest: 128)))
        case .iq4_xs:
            // Random weights have the scale's bits as upper bits of the sub-blocks' scales, too: they lie in one word.
            BlockFormat(
                elements: 256, bytes: 136, ggmlType: 23, decode: SmallBlocks.iq4_xs,
                kernels: .blocks(DeviceBlock([8..<136, 4..<8, 0..<4], factors: [0], largest: 4096)))
        case .mxfp4:
            BlockFormat(
                elements: 32, bytes: 17, ggmlType: 39, decode: SmallBlocks.mxfp4,
                kernels: .blocks(DeviceBlock([1..<17, 0..<1], factors: [0], areExponents: true, largest: 16)))
        case .iq2_xxs:
            BlockFormat(
                elements: 256, bytes: 66, ggmlType: 16, decode: GridBlocks.iq2_xxs,
                kernels: .blocks(DeviceBlock([2..<66, 0..<2], factors: [0], largest: 167)))
        case .iq2_xs:
            BlockFormat(
                elements: 256, bytes: 74, ggmlType: 17, decode: GridBlocks.iq2_xs,
                kernels: .blocks(DeviceBlock([2..<66, 66..<74, 0..<2], factors: [0], largest: 167)))
        case .iq2_s:
            BlockFormat(
                elements: 256, bytes: 82, ggmlType: 22, decode: GridBlocks.iq2_s,
                kernels: .blocks(DeviceBlock([2..<66, 66..<82, 0..<2], factors: [0], largest: 167)))
        case .iq3_xxs:
            BlockFormat(
                elements: 256, bytes: 98, ggmlType: 18, decode: GridBlocks.iq3_xxs,
                kernels: .blocks(DeviceBlock([2..<98, 0..<2], factors: [0], largest: 481)))
        case .iq3_s:
            BlockFormat(
                elements: 256, bytes: 110, ggmlType: 21, decode: GridBlocks.iq3_s,
                kernels: .blocks(
                    DeviceBlock([2..<66, 74..<106, 66..<74, 106..<110, 0..<2], factors: [0], largest: 465)))
        case .tq1_0: BlockFormat(elements: 256, bytes: 54, ggmlType: 34, decode: GridBlocks.tq1_0)
        case .tq2_0:
            BlockFormat(
                elements: 256, bytes: 66, ggmlType: 35, decode: GridBlocks.tq2_0,
                kernels: .blocks(DeviceBlock([0..<64, 64..<66], factors: [64], largest: 1)))
        }
    }

    private static let table = Dictionary(uniqueKeysWithValues: allCases.map { ($0, $0.declaration) })
    var block: BlockFormat { Self.table[self] ?? declaration }
}

extension ElementFormat {
    /// Elements per block: 1 for plain formats, 32 or 256 for the ggml block formats.
    package var elementsPerBlock: Int { block.elements }
    /// Bytes of one block as stored in a file (ggml's own layout for block formats).
    package var bytesPerBlock: Int { block.bytes }
    /// `true` for formats that pack several elements into a block with shared scales.
    package var isQuantized: Bool { elementsPerBlock > 1 }

    /// Bytes of `count` elements, or `nil` when `count` is not a whole number of blocks or the size overflows.
    package func byteCount(elements count: Int) -> Int? {
        guard count >= 0, count % elementsPerBlock == 0 else { return nil }
        let (bytes, overflow) = (count / elementsPerBlock).multipliedReportingOverflow(by: bytesPerBlock)
        return overflow ? nil : bytes
    }
}

// MARK: Formats on the device

extension ElementFormat {
    /// Formats in which kernels read weights.
    package static let weightFormats = allCases.filter { $0.block.kernels != nil }

    /// The form of the format's blocks on the device; `nil` for plain formats and for formats without kernels.
    package var deviceBlock: DeviceBlock? {
        if case .blocks(let block) = block.kernels { block } else { nil }
    }

    /// Format on the device of weights that a file stores in this one: f16 for blocks that kernels cannot read, `nil` for
    /// elements that are no weights.
    package var weightFormat: ElementFormat? { block.kernels != nil ? self : isQuantized ? .f16 : nil }
}

// MARK: ggml types

extension ElementFormat {
    private static let byGGMLType = Dictionary(
        uniqueKeysWithValues: allCases.compactMap { format in format.block.ggmlType.map { ($0, format) } })

    /// The format with ggml's type number, as GGUF files have it; `nil` for types without a decoder.
    package init?(ggmlType: UInt32) {
        guard let format = Self.byGGMLType[ggmlType] else { return nil }
        self = format
    }

    /// Names of ggml types without a decoder, for messages.
    package static let undecodedGGMLTypes: [UInt32: String] = [
        9: "q8_1", 19: "iq1_s", 29: "iq1_m", 40: "nvfp4", 41: "q1_0", 42: "q2_0",
    ]
}
