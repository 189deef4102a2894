import Checkpoint
import Models

/// Logits processors that a checkpoint's generation_config.json asks for.
package enum CheckpointRules {
    /// - Throws: `CheckpointError` for values of another type.
    package static func processors(_ files: ModelFiles) throws -> [any LogitsProcessor] {
        guard let configuration = files.configuration else { return [] }
        let (rules, main) = (configuration.generation, configuration.main)
        func ints(_ key: String) throws -> [Int] { try rules.ints(key, default: main.ints(key, default: [])) }
        var chain: [any LogitsProcessor] = []
        // Forbidden words of one token; longer ones would need the tokens before.
        let words = try rules.intLists("bad_words_ids", default: main.intLists("bad_words_ids", default: []))
        let suppressed = words.filter { $0.count == 1 }.map { $0[0] } + (try ints("suppress_tokens"))
        if !suppressed.isEmpty { chain.append(SuppressTokens(suppressed)) }
        let atBegin = try ints("begin_suppress_tokens")
        if !atBegin.isEmpty { chain.append(SuppressTokensAtBegin(atBegin)) }
        let size = try rules.int("no_repeat_ngram_size", default: main.int("no_repeat_ngram_size", default: 0))
        if size > 0 { chain.append(NoRepeatNGram(size)) }
        let forced = try forcedStart(configuration)
        if !forced.isEmpty { chain.append(ForceTokenAtBegin(forced)) }
        return chain
    }

    /// True where the checkpoint forces the first token, such as a language.
    static func forcesStart(_ files: ModelFiles) throws -> Bool {
        try files.configuration.map { try !forcedStart($0).isEmpty } ?? false
    }

    private static func forcedStart(_ configuration: ModelConfiguration) throws -> [Int] {
        try configuration.generation.ints(
            "forced_bos_token_id", default: configuration.main.ints("forced_bos_token_id", default: []))
    }
}
