import Checkpoint
import NumberFormats
import TestSupport
import Testing

/// Encoding of values in block formats against the bytes of the gguf package.
@Suite struct BlockEncodingTests {
    static let formats = ElementFormat.encodable.filter(\.isQuantized)

    private static func encode(_ values: [Float], as format: ElementFormat) -> [UInt8] {
        values.withUnsafeBufferPointer { format.bytes(encoding: $0) }
    }

    @Test("to the byte what the reference writes", .enabled(if: Fixtures.available), arguments: formats)
    func blocksEncodeAsInTheReference(format: ElementFormat) throws {
        let golden = try Fixtures.golden("gguf/dequant")
        let kind = format.rawValue.uppercased()
        let raw = try golden.checkpoint.withBytes(of: "normal/\(kind).raw") { Array($0) }
        #expect(Self.encode(try golden.floats("normal/\(kind).source"), as: format) == raw)
    }

    /// The weights of a model in float32, and the same model's GGUF file in this format.
    @Test(
        "every matrix of the models' GGUF files to the byte", .enabled(if: Fixtures.available),
        arguments: formats + [.f16], ["llama", "t5"])
    func modelsEncodeAsTheirFiles(format: ElementFormat, model: String) throws {
        let plain = try Checkpoint.open(Fixtures.models.appending(path: "gguf/\(model)-f32.gguf").path)
        let file = try Checkpoint.open(Fixtures.models.appending(path: "gguf/\(model)-\(format.rawValue).gguf").path)
        var compared = 0
        for name in file.names {
            let entry = try file.entry(name)
            guard entry.format == format else { continue }
            #expect(
                Self.encode(try plain.floats(name), as: format) == (try file.withBytes(of: name) { Array($0) }),
                "\(name)")
            compared += 1
        }
        #expect(compared > 10)
    }

    @Test("values that are no numbers, and blocks of zeros", arguments: formats)
    func oddValues(format: ElementFormat) {
        for value in [Float.nan, .infinity, -.infinity, 3e38, -3e38, 0, -0.0, 0x1p-149] {
            var values = [Float](repeating: 0.5, count: 64)
            values[3] = value
            #expect(Self.encode(values, as: format).count == 2 * format.bytesPerBlock)
            #expect(Self.encode(Array(repeating: value, count: 32), as: format).count == format.bytesPerBlock)
        }
        let zeros = Self.encode([Float](repeating: 0, count: 32), as: format)
        #expect(zeros.withUnsafeBytes { format.floats(from: $0) } == [Float](repeating: 0, count: 32))
    }

    @Test func plainFormatsRoundToNearest() {
        #expect(Self.encode([1, -2.5], as: .f32) == [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0])
        #expect(Self.encode([1, 65519], as: .f16) == [0, 0x3c, 0xff, 0x7b])
        #expect(Self.encode([1, 1.001953125], as: .bf16) == [0x80, 0x3f, 0x80, 0x3f])
    }
}
