import Checkpoint
import Foundation
import JSON
import TestSupport
import Testing

@Suite("foreign encodings") struct ForeignEncodingTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A checkpoint of tensors without values: name, dtype and bytes of an element.
    private func checkpoint(_ tensors: [(name: String, type: String, size: Int)]) throws -> Checkpoint {
        var (members, data): ([String], [UInt8]) = ([], [])
        for (name, type, size) in tensors {
            members.append(
                #""\#(name)":{"dtype":"\#(type)","shape":[1],"data_offsets":[\#(data.count),\#(data.count + size)]}"#)
            data += [UInt8](repeating: 0, count: size)
        }
        let bytes = SafetensorsBytes.file(header: "{" + members.joined(separator: ",") + "}", data: data)
        _ = try folder.write(bytes, to: "model.safetensors")
        return try Checkpoint.open(folder.url.path)
    }

    private func configuration(_ text: String) throws -> JSONReader {
        try JSONReader(parsing: Array(text.utf8), file: "config.json")
    }

    @Test(
        "are recognized by their tensors",
        arguments: [
            ([("l.qweight", "I32", 4), ("l.qzeros", "I32", 4), ("l.g_idx", "I32", 4)], "GPTQ"),
            ([("l.qweight", "I32", 4), ("l.qzeros", "I32", 4), ("l.scales", "F16", 2)], "AWQ"),
            ([("l.weight", "U8", 1), ("l.weight.absmax", "F32", 4)], "bitsandbytes (4 bits)"),
            ([("l.weight", "I8", 1), ("l.SCB", "F32", 4)], "bitsandbytes (8 bits)"),
            ([("l.weight", "F8_E4M3", 1), ("l.weight_scale_inv", "F32", 4)], "fp8 (8-bit floats with scales)"),
            ([("b.lora_A.weight", "F32", 4), ("b.lora_B.weight", "F32", 4)], "an adapter, such as LoRA"),
        ] as [([(name: String, type: String, size: Int)], String)])
    func tensors(_ tensors: [(name: String, type: String, size: Int)], name: String) throws {
        let found = try #require(try ForeignEncoding.of(checkpoint(tensors), configuration: nil))
        #expect(found.name == name && "\(found)".contains("use"))
    }

    @Test(
        "are recognized by their configuration, where there are no weights or weights of whole numbers",
        arguments: [
            (#"{"quant_method": "gptq", "bits": 4}"#, "GPTQ"), (#"{"quant_method": "awq"}"#, "AWQ"),
            (#"{"quant_method": "bitsandbytes", "load_in_4bit": true}"#, "bitsandbytes (4 bits)"),
            (#"{"load_in_8bit": true}"#, "bitsandbytes (8 bits)"),
            (#"{"quant_method": "fp8"}"#, "fp8 (8-bit floats with scales)"),
            (#"{"quant_method": "hqq\u001b[2J"}"#, "“hqq\u{FFFD}[2J”"),
        ])
    func configurations(_ text: String, name: String) throws {
        let main = try configuration(#"{"quantization_config": \#(text)}"#)
        let none = Checkpoint.absent(path: "x", standIn: .forecast(.f16))
        #expect(ForeignEncoding.of(none, configuration: main)?.name == name)
        #expect(try ForeignEncoding.of(checkpoint([("l.weight", "U8", 1)]), configuration: main)?.name == name)
        // Weights that were converted back are read, whatever the configuration still says.
        #expect(try ForeignEncoding.of(checkpoint([("l.weight", "F16", 2)]), configuration: main) == nil)
    }

    @Test("plain weights are none, F64 among them") func plain() throws {
        let plain = try checkpoint([("l.weight", "F64", 8), ("position_ids", "I64", 8)])
        #expect(ForeignEncoding.of(plain, configuration: nil) == nil)
        #expect(try ForeignEncoding.of(plain, configuration: configuration(#"{"quantization_config": 3}"#)) == nil)
    }

    @Test("an adapter's folder says what it is") func adapter() throws {
        _ = try folder.write("{}", to: "adapter_config.json")
        #expect { try Checkpoint.open(folder.url.path) } throws: { "\($0)".contains("merge it into its base model") }
    }
}
