/// How the elements of a stored tensor are encoded, in checkpoints and on the device alike.
///
/// The raw value is the lower-case name used in messages, in `fovea inspect` and in `--weights`.
package enum ElementFormat: String, Sendable, Hashable, CaseIterable, Codable {
    case f64, f32, f16, bf16
    case i64, i32, i16, i8, u8, bool
    case q8_0, q4_0, q4_1, q5_0, q5_1
    case q2_k, q3_k, q4_k, q5_k, q6_k, q8_k
    case iq4_nl, iq4_xs

    /// Elements per block: 1 for plain formats, 32 or 256 for the ggml block formats.
    package var elementsPerBlock: Int {
        switch self {
        case .f64, .f32, .f16, .bf16, .i64, .i32, .i16, .i8, .u8, .bool: 1
        case .q8_0, .q4_0, .q4_1, .q5_0, .q5_1, .iq4_nl: 32
        case .q2_k, .q3_k, .q4_k, .q5_k, .q6_k, .q8_k, .iq4_xs: 256
        }
    }

    /// Bytes of one block as stored in a file (ggml's own layout for block formats).
    package var bytesPerBlock: Int {
        switch self {
        case .f64, .i64: 8
        case .f32, .i32: 4
        case .f16, .bf16, .i16: 2
        case .i8, .u8, .bool: 1
        case .q8_0: 34
        case .q4_0, .iq4_nl: 18
        case .iq4_xs: 136
        case .q4_1: 20
        case .q5_0: 22
        case .q5_1: 24
        case .q2_k: 84
        case .q3_k: 110
        case .q4_k: 144
        case .q5_k: 176
        case .q6_k: 210
        case .q8_k: 292
        }
    }

    /// Whether the format packs several elements into a block with shared scales.
    package var isQuantized: Bool { elementsPerBlock > 1 }

    /// Bytes of `count` elements, or `nil` when `count` is not a whole number of blocks or the size overflows.
    package func byteCount(elements count: Int) -> Int? {
        guard count >= 0, count % elementsPerBlock == 0 else { return nil }
        let (bytes, overflow) = (count / elementsPerBlock).multipliedReportingOverflow(by: bytesPerBlock)
        return overflow ? nil : bytes
    }
}
