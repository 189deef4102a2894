import Checkpoint
import NumberFormats
import TestSupport
import Testing

/// Decoding of every block format against the values of the gguf package.
@Suite(.enabled(if: Fixtures.available)) struct BlockDecodingTests {
    /// Quantized formats of files, and the half-precision ones. (q8_k is an intermediate form of ggml's: no file has it.)
    static let formats: [ElementFormat] =
        [.f16, .bf16] + ElementFormat.allCases.filter { $0.isQuantized && $0 != .q8_k }
    static let goldens = ["gguf/dequant", "gguf/dequant-more"]

    @Test func everyTypeOfTheFixturesIsTested() throws {
        var kinds: Set<String> = []
        for name in Self.goldens {
            kinds.formUnion(
                try Fixtures.golden(name).tensors.keys.filter { $0.hasSuffix(".raw") }.compactMap {
                    $0.split(separator: "/").last?.dropLast(4).lowercased()
                })
        }
        kinds.subtract(ElementFormat.undecodedGGMLTypes.values)
        #expect(kinds == Set(Self.formats.map(\.rawValue)))
    }

    @Test(arguments: formats) func blocksDecodeAsInTheReference(format: ElementFormat) throws {
        let kind = format.rawValue.uppercased()
        var compared = 0
        for golden in try Self.goldens.map({ try Fixtures.golden($0) }) {
            for part in ["random", "normal"] where golden.contains("\(part)/\(kind).raw") {
                let name = "\(part)/\(kind).values"
                let values = try golden.checkpoint.withBytes(of: "\(part)/\(kind).raw") { format.floats(from: $0) }
                // The arithmetic is done in the reference's order, so even the last bit agrees.
                #expect(
                    try golden.compare(actual: values, shape: try golden.shape(name), to: name, tolerance: .exact)
                        == nil)
                compared += 1
            }
        }
        #expect(compared > 0)
    }

    @Test func q8_kDecodes() {
        var block = [UInt8](repeating: 0, count: 292)
        for (index, byte) in littleEndian(Float(0.5).bitPattern).enumerated() { block[index] = byte }
        for index in 0..<256 { block[4 + index] = UInt8(truncatingIfNeeded: index - 128) }
        let values = block.withUnsafeBytes { ElementFormat.q8_k.floats(from: $0) }
        #expect(values == (0..<256).map { Float($0 - 128) * 0.5 })
    }

    @Test func plainFormatsDecodeUnaligned() {
        let bytes: [UInt8] =
            [0xff] + littleEndian(Double(0.1).bitPattern) + littleEndian(Int64(-3))
        bytes.withUnsafeBytes { bytes in
            #expect(ElementFormat.f64.floats(from: .init(rebasing: bytes[1..<9])) == [0.1])
            #expect(ElementFormat.i64.floats(from: .init(rebasing: bytes[9..<17])) == [-3])
            #expect(ElementFormat.i64.integers(from: .init(rebasing: bytes[9..<17])) == [-3])
            #expect(ElementFormat.i8.integers(from: .init(rebasing: bytes[0..<1])) == [-1])
            #expect(ElementFormat.u8.integers(from: .init(rebasing: bytes[0..<1])) == [255])
            #expect(ElementFormat.bool.integers(from: .init(rebasing: bytes[0..<1])) == [1])
            #expect(ElementFormat.f32.integers(from: .init(rebasing: bytes[0..<4])) == nil)
        }
    }
}

private func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
