/// The split patterns for the names in `tokenizer.ggml.pre`. GGUF stores only the name; the patterns are those of the models'
/// tokenizer.json, applied in sequence.
struct GGUFPreTokenizer: Sendable {
    let patterns: [String]
    var ignoresMerges = false
    var addsBOS = false

    func makePreTokenizer(file: String) throws -> any PreTokenizer {
        var steps: [any PreTokenizer] = try patterns.map {
            SplitPreTokenizer(
                pattern: .regex(try ComponentRegistry.compiled($0, file: file, field: "tokenizer.ggml.pre")),
                behavior: .isolated)
        }
        steps.append(try ByteLevelPreTokenizer(usesPattern: false))
        return SequencePreTokenizer(steps: steps)
    }

    static func named(_ name: String, file: String) throws -> GGUFPreTokenizer {
        guard let found = byName[name] else {
            throw TokenizationError.unsupported(
                file: file, field: "tokenizer.ggml.pre", kind: name, known: byName.keys.sorted())
        }
        return found
    }

    private static let gpt2 = GGUFPreTokenizer(patterns: [ByteLevelPreTokenizer.gpt2Pattern])
    private static let digitsThenGPT2 = GGUFPreTokenizer(patterns: [#"\p{N}"#, ByteLevelPreTokenizer.gpt2Pattern])

    private static func llama3Pattern(digits: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    private static let llama3 = GGUFPreTokenizer(patterns: [llama3Pattern(digits: #"\p{N}{1,3}"#)])
    private static let qwen2 = GGUFPreTokenizer(patterns: [llama3Pattern(digits: #"\p{N}"#)])

    private static let gpt4o = GGUFPreTokenizer(patterns: [
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
            + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"#
            + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    ])

    private static let tekken = GGUFPreTokenizer(
        patterns: [
            #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"#
                + #"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"#
                + #"|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
        ], ignoresMerges: true, addsBOS: true)

    private static let falcon = GGUFPreTokenizer(patterns: [
        #"[\p{P}\$\+<=>\^~\|`]+"#, ByteLevelPreTokenizer.gpt2Pattern, "[0-9][0-9][0-9]",
    ])

    private static let deepSeekCoder = GGUFPreTokenizer(patterns: [
        #"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, #"[\x{4E00}-\x{9FA5}\x{0800}-\x{4E00}\x{AC00}-\x{D7FF}]+"#, #"\p{N}"#,
    ])

    private static let deepSeek3 = GGUFPreTokenizer(patterns: [
        #"\p{N}{1,3}"#, #"[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+"#,
        ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"##,
    ])

    private static let fallback = GGUFPreTokenizer(patterns: [
        #"[\p{P}\$\+<=>\^~\|]+"#, ByteLevelPreTokenizer.gpt2Pattern, #"\p{N}+"#, "[0-9][0-9][0-9]",
    ])

    private static let byName: [String: GGUFPreTokenizer] = {
        var names: [String: GGUFPreTokenizer] = [
            "default": fallback, "falcon": falcon, "deepseek-coder": deepSeekCoder, "deepseek-v3": deepSeek3,
            "deepseek-r1-qwen": qwen2,
            "gpt-4o": gpt4o, "llama4": gpt4o, "tekken": tekken, "dbrx": llama3, "smaug-bpe": llama3, "glm4": llama3,
            "chatglm-bpe": llama3,
        ]
        for name in ["gpt-2", "phi-2", "mpt", "olmo", "jais", "roberta-bpe", "gigachat"] { names[name] = gpt2 }
        for name in ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"] {
            names[name] = digitsThenGPT2
        }
        for name in ["qwen2", "stablelm2", "hunyuan", "megrez"] { names[name] = qwen2 }
        for name in ["llama3", "llama-v3", "llama-bpe", "falcon3", "pixtral"] {
            names[name] = GGUFPreTokenizer(patterns: llama3.patterns, ignoresMerges: true, addsBOS: true)
        }
        return names
    }()
}
