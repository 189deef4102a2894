import Compute
import Foundation
import Models
import TestSupport
import Testing
import Transformer

/// The configurations of well-known models under assets/configs.
@Suite("Well-known models, from their configurations alone")
struct KnownConfigurationTests {
    /// Parameters as the published checkpoints count them, tied matrices once and tables that are computed not at all.
    static let published: [String: Int] = [
        "t5-small": 60_506_624, "t5-base": 222_903_552, "t5-large": 737_668_096, "t5-3b": 2_851_598_336,
        "t5-11b": 11_307_321_344,
        "flan-t5-small": 76_961_152, "flan-t5-base": 247_577_856, "flan-t5-large": 783_150_080,
        "flan-t5-xl": 2_849_757_184,
        "flan-t5-xxl": 11_135_332_352,
        "whisper-tiny": 37_760_640, "whisper-tiny.en": 37_760_256, "whisper-base": 72_593_920,
        "whisper-base.en": 72_593_408,
        "whisper-small": 241_734_912, "whisper-small.en": 241_734_144, "whisper-medium": 763_857_920,
        "whisper-medium.en": 763_856_896,
        "whisper-large-v2": 1_543_304_960, "whisper-large-v3": 1_543_490_560, "whisper-large-v3-turbo": 808_878_080,
        "llama-2-7b": 6_738_415_616, "llama-3.1-8b": 8_030_261_248, "llama-3.2-1b": 1_235_814_400,
        "llama-3.2-3b": 3_212_749_824,
        "smollm2-135m": 134_515_008,
        "gpt2": 124_439_808, "gpt2-medium": 354_823_168, "gpt2-large": 774_030_080, "gpt2-xl": 1_557_611_200,
        "llava-1.5-7b": 7_063_427_072, "llava-1.5-13b": 13_350_839_296,
        "smolvlm-256m": 256_484_928, "smolvlm-500m": 507_482_304, "smolvlm-instruct": 2_246_272_880,
        "llama-3.2-11b-vision": 10_670_220_835, "blip-base": 223_971_644, "trocr-base": 333_921_792,
        "vit-gpt2": 239_195_904,
        "qwen2.5-0.5b": 494_032_768, "qwen2.5-1.5b": 1_543_714_304, "qwen2.5-3b": 3_085_938_688,
        "qwen2.5-7b": 7_615_616_512,
        "qwen3-0.6b": 596_049_920, "qwen3-1.7b": 1_720_574_976, "qwen3-4b": 4_022_468_096,
        "qwen3-8b": 8_190_735_360,
        "mistral-7b": 7_248_023_552, "phi-3-mini-4k": 3_821_079_552,
        "gemma-2-2b": 2_614_341_888, "gemma-2-9b": 9_241_705_984, "gemma-2-27b": 27_227_128_320,
        "gemma-3-270m": 268_098_176, "gemma-3-1b": 999_885_952,
        "granite-3.1-2b": 2_533_531_648, "granite-3.1-8b": 8_170_848_256,
        "nllb-200-distilled-600m": 615_073_792, "nllb-200-1.3b": 1_370_638_336, "nllb-200-3.3b": 3_344_863_232,
        "m2m100-418m": 483_905_536, "m2m100-1.2b": 1_239_470_080, "mbart-large-50": 610_879_488,
        "pegasus-large": 568_699_904, "pegasus-xsum": 568_699_904, "mt5-small": 300_176_768, "mt5-base": 582_401_280,
        "mt5-large": 1_229_581_312, "mt5-xl": 3_742_619_648, "mt5-xxl": 12_921_057_280, "umt5-small": 306_601_984,
        "umt5-base": 592_043_520, "umt5-xxl": 12_972_531_712, "byt5-small": 299_637_760, "byt5-base": 581_653_248,
        "byt5-large": 1_228_183_552, "byt5-xl": 3_737_801_728, "byt5-xxl": 12_906_899_328,
        "codet5-small": 60_492_288, "codet5-base": 222_882_048, "madlad400-3b-mt": 2_940_374_016,
        "flan-ul2": 19_591_209_984, "moonshine-tiny": 27_092_736, "moonshine-base": 61_513_920,
        "distil-large-v2": 756_220_160, "distil-large-v3": 756_405_760, "distil-medium.en": 394_375_168,
        "distil-small.en": 166_132_224, "florence-2-base": 231_414_016, "florence-2-large": 770_173_952,
        "donut-base": 201_852_024, "nougat-base": 348_687_992, "nougat-small": 247_383_672,
        "smollm2-360m": 361_821_120, "smollm2-1.7b": 1_711_376_384, "opus-mt-en-fr": 74_609_664,
        "opus-mt-de-en": 73_886_208, "opus-mt-en-de": 73_886_208,
        "opus-mt-fr-en": 74_609_664, "bart-base": 139_420_416, "bart-large-cnn": 406_290_432,
    ]

    static let folder = Fixtures.packageRoot.appending(path: "assets/configs")

    @Test func everyConfigurationIsTested() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { !$0.hasPrefix(".") }
        #expect(Set(names) == Set(Self.published.keys))
    }

    @Test("parameters within 1 % of the published totals", arguments: published.keys.sorted())
    func parameters(_ name: String) throws {
        let files = try ModelFiles(configuration: Self.folder.appending(path: name).path)
        let count = try ModelRegistry.make(from: files).parameters.elementsByPurpose.values.reduce(0, +)
        let published = try #require(Self.published[name])
        #expect(abs(Double(count) / Double(published) - 1) < 0.01, "\(count), published \(published)")
    }

    @Test("what was asked for shows in the plan")
    func options() throws {
        var files = try ModelFiles(configuration: Self.folder.appending(path: "llama-2-7b").path)
        func bytes() throws -> [MemoryPurpose: Int] {
            try ModelRegistry.make(from: files).plannedBuffers(unifiedMemory: false).reduce(into: [:]) {
                $0[$1.purpose, default: 0] += $1.bytes
            }
        }
        files.options = LoadOptions(weights: .f16, contextLength: 2048)
        let half = try bytes()
        #expect(half[.selfKV] == Device.allocationBytes(for: 2 * 32 * 2048 * 4096 * 4))
        files.options = LoadOptions(weights: .q8_0, contextLength: 1024)
        let smaller = try bytes()
        // A block of q8_0 is 34 bytes where 32 halves are 64.
        let ratio = Double(smaller[.weightsDecoder] ?? 0) / Double(half[.weightsDecoder] ?? 1)
        #expect(abs(ratio - 34.0 / 64) < 0.001)
        #expect(smaller[.selfKV] == Device.allocationBytes(for: 2 * 32 * 1024 * 4096 * 4))
        files.options.weights = .q4_k
        #expect(throws: ModelError.self) { try ModelRegistry.make(from: files) }
        // Without a word, the format the checkpoint was saved in; the context is at most the model's own.
        files.options = LoadOptions(contextLength: 1_000_000)
        let model = try ModelRegistry.make(from: files)
        #expect(model.contextLength == 4096 && model.parameters.matrixFormats == [.f16])
    }

    @Test("a model without weights is planned for but never loaded", .usesDevice)
    func noWeights() throws {
        let files = try ModelFiles(configuration: Self.folder.appending(path: "smollm2-135m").path)
        let model = try ModelRegistry.make(from: files)
        let device = try TestDevice.open()
        let before = device.ledger.total
        #expect(throws: TransformerError.self) { try model.load(from: files, on: device) { _, _ in } }
        #expect(device.ledger.total == before)
    }
}
