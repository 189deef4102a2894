import Checkpoint
import JSON
import NumberFormats
import Foundation
import TestSupport
import Testing

@testable import Compute
@testable import Models
@testable import Transformer

/// Work of loading beside copying weights: matrices in pieces on all cores, the warm-up of kernels.
@Suite("Loading", .usesDevice, .serialized)
struct LoadingTests {
    @Test(
        "a matrix of many pieces is what it would be in one", arguments: [ElementFormat.f32, .f16, .q8_0, .q4_1],
        [96, 100])
    func pieces(_ format: ElementFormat, columns: Int) throws {
        // Blocks need whole rows of 32; the others are padded.
        guard !format.isQuantized || columns % 32 == 0 else { return }
        let rows = 9000
        let values = (0..<rows * columns).map { Float(($0 &* 7919) % 2003) / 1000 - 1 }
        let folder = try TemporaryFolder()
        let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
        try writer.add("w", shape: [rows, columns], floats: values)
        try writer.finish()

        let device = try Device(validation: true)
        let list = ParameterList()
        let parameter = ParameterScope(list: list, purpose: .weightsDecoder).matrix("w", outputs: rows, inputs: columns)
        let source = WeightSource(
            checkpoint: try Checkpoint.open(folder.path("model.safetensors")), naming: HuggingFaceNaming())
        list.assignFormat(format)
        var heard: [Int] = []
        try WeightLoader(device: device, source: source).load(list.layout) { done, _ in heard.append(done) }
        let matrix = parameter.matrix
        #expect(heard.last == matrix.byteCount)

        let stream = try CommandStream(device: device)
        let copy = try device.makeBuffer(
            byteCount: matrix.byteCount, purpose: .staging, label: "copy", access: .readback)
        try stream.copy(from: matrix.byteRange, to: MemoryRange(buffer: copy, offset: 0, byteCount: matrix.byteCount))
        try stream.finish()
        let actual = copy.read(UInt8.self, count: matrix.byteCount)
        let encoded = values.withUnsafeBufferPointer { format.bytes(encoding: $0) }
        let rowBytes = WeightMatrix.rowBytes(columns: columns, format: format)
        let plain =
            BlockLayout(format).map { layout in
                encoded.withUnsafeBytes { layout.arrange($0, rows: rows, columns: columns) }
            }
            ?? (0..<rows).flatMap { row in
                let bytes = columns * format.bytesPerBlock
                return encoded[row * bytes..<(row + 1) * bytes] + [UInt8](repeating: 0, count: rowBytes - bytes)
            }
        // Byte b of row r: in panels, after the pieces before it of all the panel's rows.
        let panel = matrix.rowsPerPanel
        #expect(panel == WeightMatrix.panelRows(for: device.properties) && rows % panel == 0)
        var places = 0
        for row in stride(from: 0, to: rows, by: 7) {
            for byte in stride(from: 0, to: rowBytes, by: 3) {
                let place = row / panel * panel * rowBytes + (byte / 16 * panel + row % panel) * 16 + byte % 16
                if actual[place] != plain[row * rowBytes + byte] { places += 1 }
            }
        }
        #expect(places == 0, "bytes differ")
    }

    @Test(
        "a loaded model has the kernels of a first answer, and is otherwise as new",
        arguments: ["llama", "gpt2", "t5", "bart", "whisper-80", "blip", "trocr", "llava", "smolvlm", "mllama"]
            .filter(Fixtures.contains))
    func firstAnswer(_ name: String) throws {
        let files = try ModelFiles(path: Fixtures.model(name).path)
        let device = try Device(validation: true)
        let model = try ModelRegistry.make(from: files)
        try model.load(from: files, on: device) { _, _ in }
        let ready = Set(device.pipelines.compiled)
        #expect(!ready.isEmpty)
        if !model.capabilities.needsSource {
            #expect(model.position == 0 && model.decoder.stream?.dispatchCount == 0)
            let shown = try model.encodeSample(of: files)
            #expect(shown.isEmpty == (model.pictureReader == nil))
            let prompt = (shown + Array(repeating: 5, count: Decoder.warmUpTokens)).prefix(
                model.contextLength - 1)
            _ = try model.prefill(Array(prompt), at: 0, logitRows: [prompt.count - 1])
            _ = try model.advance(tokens: [6])
        } else {
            #expect(model.position == 0)
            #expect(throws: TransformerError.self) { try model.start(tokens: [1], hypotheses: 1, logitRows: [0]) }
            _ = try model.encodeSample(of: files)
            _ = try model.start(tokens: [1], hypotheses: 1, logitRows: [0])
            _ = try model.advance(tokens: [1], parents: nil)
        }
        #expect(Set(device.pipelines.compiled).subtracting(ready) == [])
        model.unload()
        #expect(device.ledger.total == 0 && device.instance.validationMessages == [])
    }

    /// A fixture's folder with some files replaced; empty text leaves a file out.
    private func folder(_ name: String, replacing files: [String: String]) throws -> TemporaryFolder {
        let folder = try TemporaryFolder(), original = Fixtures.model(name)
        for file in try FileManager.default.contentsOfDirectory(atPath: original.path) where files[file] == nil {
            try FileManager.default.createSymbolicLink(
                at: folder.url.appending(path: file), withDestinationURL: original.appending(path: file))
        }
        for (file, text) in files where !text.isEmpty { _ = try folder.write(text, to: file) }
        return folder
    }

    @Test("damaged configurations are errors of opening", arguments: ["config.json", "generation_config.json"])
    func damagedConfiguration(_ file: String) throws {
        let folder = try folder("llava", replacing: [file: "{\"model_type\": "])
        #expect {
            try ModelFiles(path: folder.url.path)
        } throws: {
            $0 is JSONError && "\($0)".contains(file)
        }
    }

    @Test("wrong image-processor settings are errors of loading; without them a model reads texts alone")
    func imageProcessorSettings() throws {
        func load(_ settings: String) throws -> any Model {
            let folder = try folder(
                "llava", replacing: ["preprocessor_config.json": settings, "processor_config.json": ""])
            let files = try ModelFiles(path: folder.url.path), model = try ModelRegistry.make(from: files)
            try model.load(from: files, on: TestDevice.open())
            return model
        }
        #expect {
            _ = try load(#"{"image_processor_type": "KlingonImageProcessor"}"#)
        } throws: {
            "\($0)".contains("Klingon")
        }
        let model = try load("")
        #expect(try model.prefill([1, 2], at: 0, logitRows: [1]).count == 1)
        model.unload()
    }

    @Test("a dry run runs nothing, and ends with an error that its body throws")
    func dryRun() throws {
        struct Interruption: Error {}
        let device = try Device(validation: true)
        let stream = try CommandStream(device: device)
        let buffer = try device.makeBuffer(byteCount: 64, purpose: .activations, label: "x", access: .readback)
        let x = Tensor(buffer: buffer, rows: 1, columns: 16)
        try stream.fill(x.byteRange, with: 7)
        try stream.finish()
        let noted = try stream.dryRun {
            #expect(stream.isDryRun)
            try stream.fill(x.byteRange, with: 9)
            try stream.convert(x, into: x)
            try stream.convert(x, into: x)
            try stream.finish()
        }
        #expect(noted.variants.count == 1 && device.pipelines.compiled == [])
        #expect(buffer.read(UInt32.self, count: 16) == Array(repeating: 7, count: 16))
        #expect(throws: Interruption.self) { _ = try stream.dryRun { throw Interruption() } }
        #expect(!stream.isDryRun)
        let preparation = KernelPreparation(noted, on: device)
        preparation.waitForPipelines()
        #expect(device.pipelines.compiled == noted.variants)
        preparation.stop()
        #expect(buffer.read(UInt32.self, count: 16) == Array(repeating: 7, count: 16))
        #expect(device.instance.validationMessages == [])
    }
}
