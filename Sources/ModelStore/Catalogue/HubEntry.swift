/// A well-known model on Hugging Face with a short name. Sizes and digests of its files come from the hub when it is pulled.
package struct HubEntry: Sendable, Hashable {
    /// Name for `fovea pull` and `fovea chat`.
    package let name: String
    /// `owner/repo`.
    package let repository: String
    /// One line for lists.
    package let summary: String
    /// The license as the hub names it.
    package let license: String
    /// True if the hub hands the files only to those who have accepted the license there.
    package let isGated: Bool
    /// Bytes to download, within a few percent.
    package let byteCount: Int
    /// True for a model that was trained on photographs.
    package let readsPhotographs: Bool
    /// Name of the configuration in `assets/configs` that its memory is forecast from; nil where there is none, because the
    /// architecture is not supported.
    package let configuration: String?

    private init(_ row: Row, of group: Group) {
        name = row.name
        repository = row.repository
        summary = "\(group.summary), \(row.parameters) parameters"
        license = group.license
        isGated = group.isGated
        byteCount = row.megabytes * 1_000_000
        readsPhotographs = group.readsPhotographs
        configuration = row.configuration
    }

    package static func named(_ name: String) -> HubEntry? { all.first { $0.name == name } }

    /// All entries, by kind of model.
    package static let all = groups.flatMap { group in group.rows.map { HubEntry($0, of: group) } }
}

// MARK: The table

extension HubEntry {
    /// Models that do the same under the same license.
    private struct Group {
        let summary: String
        let license: String
        let isGated: Bool
        let readsPhotographs: Bool
        let rows: [Row]

        init(
            _ summary: String, _ license: String, gated: Bool = false, photographs: Bool = false, _ rows: [Row]
        ) {
            self.summary = summary
            self.license = license
            isGated = gated
            readsPhotographs = photographs
            self.rows = rows
        }
    }

    private struct Row {
        let name: String
        let repository: String
        let megabytes: Int
        let parameters: String
        let configuration: String?

        /// - Parameter configuration: by default that of the same name.
        init(
            _ name: String, _ repository: String, _ megabytes: Int, _ parameters: String,
            configuration: String? = nil
        ) {
            self.init(name, repository, megabytes, parameters, planned: configuration ?? name)
        }

        private init(
            _ name: String, _ repository: String, _ megabytes: Int, _ parameters: String, planned: String?
        ) {
            self.name = name
            self.repository = repository
            self.megabytes = megabytes
            self.parameters = parameters
            configuration = planned
        }

        /// A model whose architecture is not supported.
        static func unsupported(
            _ name: String, _ repository: String, _ megabytes: Int, _ parameters: String
        ) -> Row {
            Row(name, repository, megabytes, parameters, planned: nil)
        }
    }

    private static let groups: [Group] = [
        Group(
            "speech in 99 languages to text", "apache-2.0",
            [
                Row("whisper-tiny", "openai/whisper-tiny", 154, "39 M"),
                Row("whisper-small", "openai/whisper-small", 970, "244 M"),
                Row("whisper-medium", "openai/whisper-medium", 3_059, "769 M"),
                Row("whisper-large-v3", "openai/whisper-large-v3", 3_091, "1.5 B"),
            ]),
        Group(
            "speech in 99 languages to text, fast", "mit",
            [Row("whisper-large-v3-turbo", "openai/whisper-large-v3-turbo", 1_622, "809 M")]),
        Group(
            "English speech to text", "mit",
            [
                Row(
                    "distil-whisper-large-v3", "distil-whisper/distil-large-v3", 1_517, "756 M",
                    configuration: "distil-large-v3"),
                Row(
                    "distil-whisper-small.en", "distil-whisper/distil-small.en", 336, "166 M",
                    configuration: "distil-small.en"),
            ]),
        Group(
            "follows instructions on texts", "apache-2.0",
            [
                Row("flan-t5-small", "google/flan-t5-small", 311, "77 M"),
                Row("flan-t5-base", "google/flan-t5-base", 994, "250 M"),
                Row("flan-t5-large", "google/flan-t5-large", 3_136, "780 M"),
                Row("flan-t5-xl", "google/flan-t5-xl", 11_402, "3 B"),
            ]),
        Group(
            "translates French to English", "apache-2.0",
            [Row("opus-mt-fr-en", "Helsinki-NLP/opus-mt-fr-en", 304, "75 M")]),
        Group(
            "translates English to French", "apache-2.0",
            [Row("opus-mt-en-fr", "Helsinki-NLP/opus-mt-en-fr", 304, "75 M")]),
        Group(
            "translates German to English", "apache-2.0",
            [Row("opus-mt-de-en", "Helsinki-NLP/opus-mt-de-en", 301, "75 M")]),
        Group(
            "translates English to German", "cc-by-4.0",
            [Row("opus-mt-en-de", "Helsinki-NLP/opus-mt-en-de", 301, "75 M")]),
        Group(
            "translates between 200 languages", "cc-by-nc-4.0",
            [
                Row(
                    "nllb-600m", "facebook/nllb-200-distilled-600M", 2_483, "615 M",
                    configuration: "nllb-200-distilled-600m")
            ]),
        Group(
            "reads a line of printed text in a picture", "mit",
            [Row("trocr-base", "microsoft/trocr-base-printed", 1_335, "334 M")]),
        Group(
            "describes photographs in a sentence", "bsd-3-clause", photographs: true,
            [Row("blip-base", "Salesforce/blip-image-captioning-base", 991, "247 M")]),
        Group(
            "describes photographs in a sentence", "apache-2.0", photographs: true,
            [Row("vit-gpt2", "nlpconnect/vit-gpt2-image-captioning", 983, "239 M")]),
        Group(
            "describes photographs and finds things in them", "mit", photographs: true,
            [Row("florence-2-base", "florence-community/Florence-2-base", 466, "232 M")]),
        Group(
            "chats about photographs", "apache-2.0", photographs: true,
            [
                Row("smolvlm-256m", "HuggingFaceTB/SmolVLM-256M-Instruct", 517, "256 M"),
                Row("smolvlm-500m", "HuggingFaceTB/SmolVLM-500M-Instruct", 1_020, "507 M"),
                Row("smolvlm-instruct", "HuggingFaceTB/SmolVLM-Instruct", 4_498, "2.2 B"),
                .unsupported("llava-1.6-7b", "llava-hf/llava-v1.6-mistral-7b-hf", 15_140, "7 B"),
                .unsupported("qwen3-vl-2b", "Qwen/Qwen3-VL-2B-Instruct", 4_270, "2.1 B"),
            ]),
        Group(
            "chats about photographs", "llama2", photographs: true,
            [Row("llava-1.5-7b", "llava-hf/llava-1.5-7b-hf", 14_130, "7 B")]),
        Group(
            "chats about photographs, cross-attention", "llama3.2", gated: true, photographs: true,
            [Row("llama-3.2-11b-vision", "meta-llama/Llama-3.2-11B-Vision-Instruct", 21_350, "11 B")]),
        Group(
            "chats about photographs", "qwen-research", photographs: true,
            [.unsupported("qwen2.5-vl-3b", "Qwen/Qwen2.5-VL-3B-Instruct", 7_520, "3.8 B")]),
        Group(
            "chats about photographs", "gemma", gated: true, photographs: true,
            [.unsupported("gemma-3-4b", "google/gemma-3-4b-it", 8_640, "4.3 B")]),
        Group(
            "English chat", "apache-2.0",
            [
                Row("smollm2-360m", "HuggingFaceTB/SmolLM2-360M-Instruct", 726, "362 M"),
                Row("smollm2-1.7b", "HuggingFaceTB/SmolLM2-1.7B-Instruct", 3_425, "1.7 B"),
            ]),
        Group(
            "chat in 29 languages", "apache-2.0",
            [Row("qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B-Instruct", 999, "494 M")]),
        Group(
            "chat that thinks before it answers", "apache-2.0",
            [Row("qwen3-0.6b", "Qwen/Qwen3-0.6B", 1_515, "596 M")]),
        Group(
            "small chat", "gemma", gated: true,
            [Row("gemma-3-270m-it", "google/gemma-3-270m-it", 575, "268 M", configuration: "gemma-3-270m")]),
        Group(
            "chat in 8 languages", "llama3.2", gated: true,
            [Row("llama-3.2-1b", "meta-llama/Llama-3.2-1B-Instruct", 2_490, "1.2 B")]),
    ]
}
