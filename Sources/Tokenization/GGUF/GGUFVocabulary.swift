/// The tokenizer part of a GGUF file's metadata, as plain values. `Checkpoint` reads the file.
package struct GGUFVocabulary: Sendable {
    /// `tokenizer.ggml.model`: `gpt2` (byte-level BPE), `llama` (SentencePiece BPE), `t5` (unigram), `bert` (WordPiece).
    package var model: String
    /// `tokenizer.ggml.pre`: the name of the split patterns of a byte-level BPE.
    package var pre: String?
    /// `tokenizer.ggml.tokens`.
    package var tokens: [String]
    /// `tokenizer.ggml.scores`; may be empty for `gpt2` and `bert`.
    package var scores: [Float]
    /// `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
    package var types: [Int32]
    /// `tokenizer.ggml.merges`, each two tokens with a space between.
    package var merges: [String]
    /// `tokenizer.ggml.bos_token_id` and so on.
    package var bos: Int?
    package var eos: Int?
    package var unknown: Int?
    package var separator: Int?
    package var padding: Int?
    package var classification: Int?
    /// `tokenizer.ggml.add_bos_token`, `add_eos_token`, `add_space_prefix`, `remove_extra_whitespaces`; nil for the default of the model kind.
    package var addsBOS: Bool?
    package var addsEOS: Bool?
    package var addsSpacePrefix: Bool?
    package var removesExtraWhitespace: Bool?
    /// `tokenizer.ggml.precompiled_charsmap`.
    package var charactersMap: [UInt8]

    package init(
        model: String, pre: String? = nil, tokens: [String], scores: [Float] = [], types: [Int32] = [],
        merges: [String] = [], bos: Int? = nil,
        eos: Int? = nil, unknown: Int? = nil, separator: Int? = nil, padding: Int? = nil, classification: Int? = nil,
        addsBOS: Bool? = nil,
        addsEOS: Bool? = nil, addsSpacePrefix: Bool? = nil, removesExtraWhitespace: Bool? = nil,
        charactersMap: [UInt8] = []
    ) {
        self.model = model
        self.pre = pre
        self.tokens = tokens
        self.scores = scores
        self.types = types
        self.merges = merges
        self.bos = bos
        self.eos = eos
        self.unknown = unknown
        self.separator = separator
        self.padding = padding
        self.classification = classification
        self.addsBOS = addsBOS
        self.addsEOS = addsEOS
        self.addsSpacePrefix = addsSpacePrefix
        self.removesExtraWhitespace = removesExtraWhitespace
        self.charactersMap = charactersMap
    }
}
