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

    private init(
        _ name: String, _ repository: String, _ summary: String, _ license: String, megabytes: Int,
        isGated: Bool = false
    ) {
        self.name = name
        self.repository = repository
        self.summary = summary
        self.license = license
        self.isGated = isGated
        byteCount = megabytes * 1_000_000
    }

    package static func named(_ name: String) -> HubEntry? { all.first { $0.name == name } }

    /// All entries, by kind of model.
    package static let all: [HubEntry] = [
        HubEntry(
            "whisper-tiny", "openai/whisper-tiny", "speech in 99 languages to text, 39 M parameters", "apache-2.0",
            megabytes: 154),
        HubEntry(
            "whisper-small", "openai/whisper-small", "speech in 99 languages to text, 244 M parameters", "apache-2.0",
            megabytes: 970),
        HubEntry(
            "whisper-medium", "openai/whisper-medium", "speech in 99 languages to text, 769 M parameters", "apache-2.0",
            megabytes: 3_059),
        HubEntry(
            "whisper-large-v3", "openai/whisper-large-v3", "speech in 99 languages to text, 1.5 B parameters",
            "apache-2.0", megabytes: 3_091),
        HubEntry(
            "whisper-large-v3-turbo", "openai/whisper-large-v3-turbo",
            "speech in 99 languages to text, fast, 809 M parameters", "mit", megabytes: 1_622),
        HubEntry(
            "distil-whisper-large-v3", "distil-whisper/distil-large-v3", "English speech to text, 756 M parameters",
            "mit", megabytes: 1_517),
        HubEntry(
            "distil-whisper-small.en", "distil-whisper/distil-small.en", "English speech to text, 166 M parameters",
            "mit", megabytes: 336),
        HubEntry(
            "flan-t5-small", "google/flan-t5-small", "follows instructions on texts, 77 M parameters", "apache-2.0",
            megabytes: 311),
        HubEntry(
            "flan-t5-base", "google/flan-t5-base", "follows instructions on texts, 250 M parameters", "apache-2.0",
            megabytes: 994),
        HubEntry(
            "flan-t5-large", "google/flan-t5-large", "follows instructions on texts, 780 M parameters", "apache-2.0",
            megabytes: 3_136),
        HubEntry(
            "flan-t5-xl", "google/flan-t5-xl", "follows instructions on texts, 3 B parameters", "apache-2.0",
            megabytes: 11_402),
        HubEntry(
            "opus-mt-fr-en", "Helsinki-NLP/opus-mt-fr-en", "translates French to English, 75 M parameters",
            "apache-2.0", megabytes: 304),
        HubEntry(
            "opus-mt-en-fr", "Helsinki-NLP/opus-mt-en-fr", "translates English to French, 75 M parameters",
            "apache-2.0", megabytes: 304),
        HubEntry(
            "opus-mt-de-en", "Helsinki-NLP/opus-mt-de-en", "translates German to English, 75 M parameters",
            "apache-2.0", megabytes: 301),
        HubEntry(
            "opus-mt-en-de", "Helsinki-NLP/opus-mt-en-de", "translates English to German, 75 M parameters", "cc-by-4.0",
            megabytes: 301),
        HubEntry(
            "nllb-600m", "facebook/nllb-200-distilled-600M", "translates between 200 languages, 615 M parameters",
            "cc-by-nc-4.0", megabytes: 2_483),
        HubEntry(
            "blip-base", "Salesforce/blip-image-captioning-base",
            "describes photographs in a sentence, 247 M parameters", "bsd-3-clause", megabytes: 991),
        HubEntry(
            "vit-gpt2", "nlpconnect/vit-gpt2-image-captioning", "describes photographs in a sentence, 239 M parameters",
            "apache-2.0", megabytes: 983),
        HubEntry(
            "trocr-base", "microsoft/trocr-base-printed", "reads a line of printed text in a picture, 334 M parameters",
            "mit", megabytes: 1_335),
        HubEntry(
            "smolvlm-256m", "HuggingFaceTB/SmolVLM-256M-Instruct", "chats about photographs, 256 M parameters",
            "apache-2.0", megabytes: 517),
        HubEntry(
            "smolvlm-500m", "HuggingFaceTB/SmolVLM-500M-Instruct", "chats about photographs, 507 M parameters",
            "apache-2.0", megabytes: 1_020),
        HubEntry(
            "smolvlm-instruct", "HuggingFaceTB/SmolVLM-Instruct", "chats about photographs, 2.2 B parameters",
            "apache-2.0", megabytes: 4_498),
        HubEntry(
            "llava-1.5-7b", "llava-hf/llava-1.5-7b-hf", "chats about photographs, 7 B parameters", "llama2",
            megabytes: 14_130),
        HubEntry(
            "llava-1.6-7b", "llava-hf/llava-v1.6-mistral-7b-hf", "chats about photographs, 7 B parameters",
            "apache-2.0", megabytes: 15_140),
        HubEntry(
            "llama-3.2-11b-vision", "meta-llama/Llama-3.2-11B-Vision-Instruct",
            "chats about photographs, cross-attention, 11 B parameters", "llama3.2", megabytes: 21_350, isGated: true),
        HubEntry(
            "qwen2.5-vl-3b", "Qwen/Qwen2.5-VL-3B-Instruct", "chats about photographs, 3.8 B parameters",
            "qwen-research", megabytes: 7_520),
        HubEntry(
            "qwen3-vl-2b", "Qwen/Qwen3-VL-2B-Instruct", "chats about photographs, 2.1 B parameters", "apache-2.0",
            megabytes: 4_270),
        HubEntry(
            "gemma-3-4b", "google/gemma-3-4b-it", "chats about photographs, 4.3 B parameters", "gemma",
            megabytes: 8_640, isGated: true),
        HubEntry(
            "florence-2-base", "florence-community/Florence-2-base",
            "describes photographs and finds things in them, 232 M parameters", "mit", megabytes: 466),
        HubEntry(
            "smollm2-360m", "HuggingFaceTB/SmolLM2-360M-Instruct", "English chat, 362 M parameters", "apache-2.0",
            megabytes: 726),
        HubEntry(
            "smollm2-1.7b", "HuggingFaceTB/SmolLM2-1.7B-Instruct", "English chat, 1.7 B parameters", "apache-2.0",
            megabytes: 3_425),
        HubEntry(
            "qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B-Instruct", "chat in 29 languages, 494 M parameters", "apache-2.0",
            megabytes: 999),
        HubEntry(
            "qwen3-0.6b", "Qwen/Qwen3-0.6B", "chat that thinks before it answers, 596 M parameters", "apache-2.0",
            megabytes: 1_515),
        HubEntry(
            "gemma-3-270m-it", "google/gemma-3-270m-it", "small chat, 268 M parameters", "gemma", megabytes: 575,
            isGated: true),
        HubEntry(
            "llama-3.2-1b", "meta-llama/Llama-3.2-1B-Instruct", "chat in 8 languages, 1.2 B parameters", "llama3.2",
            megabytes: 2_490, isGated: true),
    ]
}
