import JSON
import Regex

/// Factories of pre-tokenizers by the "type" in tokenizer.json.
enum PreTokenizerRegistry {
    static func make(_ field: JSONReader, depth: Int = 0) throws -> any PreTokenizer {
        try ComponentRegistry.make(field, from: makers, depth: depth)
    }

    private static let makers: [String: ComponentRegistry.Maker<any PreTokenizer>] = [
        "Sequence": { field, depth in
            SequencePreTokenizer(
                steps: try field.member("pretokenizers").elements().map {
                    try make($0, depth: depth + 1)
                })
        },
        "ByteLevel": { field, _ in
            try ByteLevelPreTokenizer(
                addsPrefixSpace: field.bool("add_prefix_space", default: true),
                usesPattern: field.bool("use_regex", default: true))
        },
        "Split": { field, _ in
            SplitPreTokenizer(
                pattern: try ComponentRegistry.pattern(field.member("pattern")),
                behavior: try behavior(field, default: nil), inverted: try field.bool("invert", default: false))
        },
        "Metaspace": { field, _ in
            let scheme = try ComponentRegistry.prependScheme(field)
            return MetaspacePreTokenizer(
                mark: try ComponentRegistry.metaspaceMark(field), scheme: scheme,
                splits: try field.bool("split", default: true))
        },
        "Digits": { field, _ in
            let individually = try field.bool("individual_digits", default: false)
            return CharacterSplitPreTokenizer(
                behavior: individually ? .isolated : .contiguous, isDelimiter: CharacterClass.isNumber)
        },
        "Punctuation": { field, _ in
            CharacterSplitPreTokenizer(
                behavior: try behavior(field, default: .isolated), isDelimiter: CharacterClass.isBertPunctuation)
        },
        "Whitespace": { _, _ in WordRunPreTokenizer() },
        "WhitespaceSplit": { _, _ in
            CharacterSplitPreTokenizer(behavior: .removed, isDelimiter: CharacterClass.isWhitespace)
        },
        "BertPreTokenizer": { _, _ in SequencePreTokenizer.bert },
        "CharDelimiterSplit": { field, _ in
            let delimiter = try field.scalar("delimiter").value
            return CharacterSplitPreTokenizer(behavior: .removed) { $0 == delimiter }
        },
        "FixedLength": { field, _ in
            let length = try field.count("length")
            guard length > 0 else {
                throw try field.member("length").wrongType(expected: "at least 1", actual: "0")
            }
            return FixedLengthPreTokenizer(length: length)
        },
    ]

    private static func behavior(_ field: JSONReader, default fallback: SplitBehavior?) throws -> SplitBehavior {
        guard let name = try field.memberIfPresent("behavior") else {
            if let fallback { return fallback }
            _ = try field.member("behavior")
            return .isolated
        }
        guard let behavior = SplitBehavior(rawValue: try name.string()) else {
            throw TokenizationError.unsupported(
                file: field.file, field: name.path, kind: try name.string(),
                known: SplitBehavior.allCases.map(\.rawValue))
        }
        return behavior
    }
}

extension SequencePreTokenizer {
    /// BERT's words: split at whitespace, which is dropped, and around every punctuation mark.
    static let bert = SequencePreTokenizer(steps: [
        CharacterSplitPreTokenizer(behavior: .removed, isDelimiter: CharacterClass.isWhitespace),
        CharacterSplitPreTokenizer(behavior: .isolated, isDelimiter: CharacterClass.isBertPunctuation),
    ])
}
