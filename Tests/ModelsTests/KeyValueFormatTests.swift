import AttentionTypes
import Compute
import Foundation
import Media
import Models
import TestSupport
import Testing
import Transformer

/// Key/value caches in half precision, against the same model with caches in f32 (which equals PyTorch, see the suites of
/// the families).
@Suite("f16 keys and values", .serialized)
struct KeyValueFormatTests {
    /// One reference model of each kind of cache: self, cross, both, with pictures, with sound.
    static let models = [
        "llama3", "gpt2", "llava", "smolvlm", "mllama", "t5", "marian", "bart", "m2m100", "blip", "vit-gpt2",
        "whisper-80",
    ]

    /// Largest difference of an attention weight, of any family; Whisper's is the largest, 0.0097 on random sound.
    private static let tolerance: Float = 0.012

    private func open(_ name: String, _ format: LoadOptions) throws -> (model: any Model, files: ModelFiles) {
        var files = try ModelFiles(path: Fixtures.model(name).path)
        files.options = format
        return (try ModelRegistry.make(from: files), files)
    }

    /// An input of the kind that the model takes, from fixed pseudo-random numbers, and the decoder's first tokens.
    private func input(of model: any Model, _ files: ModelFiles) throws -> (ModelInput?, prompt: [Int]) {
        var state: UInt64 = 7
        func random() -> Float {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(state >> 40) / Float(1 << 24) * 2 - 1
        }
        let text = (0..<20).map { 5 + $0 * 7 % max(1, min(model.vocabulary, 200) - 10) }
        if let reader = model.soundReader {
            let geometry = reader.soundGeometry
            return (.logMel((0..<geometry.mels * geometry.frames).map { _ in random() }), [2, 3])
        }
        if let reader = model.pictureReader {
            let layout = try reader.imageProcessor(of: files).layout(width: 40, height: 30)
            let picture = ProcessedImage(layout: layout, pixelValues: (0..<layout.valueCount).map { _ in random() })
            let prompt = model.capabilities.needsSource ? model.startTokens : reader.promptTokens(for: layout) + text
            return (.pictures([picture]), prompt)
        }
        if model.textSource != nil { return (.tokens(text), model.startTokens) }
        return (nil, text)
    }

    private func trace(_ name: String, _ options: LoadOptions) throws -> (attention: [String: [Float]], ids: [Int]) {
        let (model, files) = try open(name, options)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        defer { model.unload() }
        let (source, prompt) = try input(of: model, files)
        var options = TraceOptions()
        options.maximumTokens = 12
        options.includesHiddenStates = false
        var attention: [String: [Float]] = [:], ids: [Int] = []
        try model.trace(source, prompt: prompt, options: options) { tensor in
            switch tensor.values {
            case .floats(let values) where tensor.name.contains(".self.") || tensor.name.contains(".cross."):
                attention[tensor.name] = values
            case .integers(let values) where tensor.name == "generated_ids": ids = values
            default: break
            }
        }
        return (attention, ids)
    }

    @Test("attention differs from f32 caches within the tolerance", arguments: models)
    func attention(of name: String) throws {
        let exact = try trace(name, LoadOptions()), half = try trace(name, LoadOptions(keyValues: .f16))
        // Steps see the same tokens until one differs.
        let same = zip(exact.ids, half.ids).prefix { $0 == $1 }.count
        #expect(same >= 4, "\(exact.ids) and \(half.ids)")
        var largest: Float = 0, compared = 0
        for (name, values) in exact.attention {
            guard let step = Int(name.dropFirst(4).prefix { $0.isNumber }), step <= same else { continue }
            let other = try #require(half.attention[name])
            #expect(other.count == values.count)
            for (a, b) in zip(values, other) { largest = max(largest, abs(a - b)) }
            compared += 1
        }
        #expect(compared > 0 && largest > 0, "caches in f16 change something")
        #expect(largest <= Self.tolerance, "\(name): \(largest)")
    }

    @Test("the load plan is what loading allocates, and a token takes half the memory", arguments: models)
    func plan(of name: String) throws {
        let device = try Device(validation: false)
        let unified = device.properties.hasUnifiedMemory
        let (model, files) = try open(name, LoadOptions(keyValues: .f16))
        let planned = model.plannedBuffers(unifiedMemory: unified)
        try model.load(from: files, on: device) { _, _ in }
        #expect(
            planned.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted()
                == device.ledger.entries.map { "\($0.purpose.rawValue) \($0.label) \($0.bytes)" }.sorted())
        let exact = try open(name, LoadOptions()).model
        #expect(exact.bytesPerToken == 2 * model.bytesPerToken)
        model.unload()
        #expect(device.ledger.total == 0)
    }
}
