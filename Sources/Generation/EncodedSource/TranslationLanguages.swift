import Foundation
import Models
import Tokenization

/// Languages of a translation model by their codes, such as `fra_Latn` (NLLB), `fr_XX` (mBART) or `fr` (M2M100, whose token
/// is `__fr__`).
package struct LanguageCodes: Sendable, Hashable, Codable {
    /// In the order of the vocabulary.
    package let all: [String]

    package init(_ all: [String]) { self.all = all }

    /// The code for a language given as a code of the model, a code of ISO 639 (`fr`, `fra`), one with a script or region
    /// (`zh-Hans`, `pt_BR`), or an English name (`French`).
    /// - Throws: ``GenerationError/unknownLanguage(_:known:)`` where there is none, or several.
    package func code(of text: String) throws(GenerationError) -> String {
        let asked = text.lowercased().replacing("-", with: "_")
        if let exact = all.first(where: { $0.lowercased() == asked }) { return exact }
        let candidates = all.filter { Self.names(of: $0).contains(asked) }
        let base = String(asked.prefix { $0 != "_" })
        var found = candidates
        if candidates.isEmpty, base.count < asked.count {
            found = all.filter { Self.names(of: $0).contains(base) }
            // A script tells codes of one language apart; a region does not.
            let script = found.filter { $0.lowercased().hasSuffix(asked.dropFirst(base.count)) }
            if !script.isEmpty { found = script }
        }
        guard found.count == 1 else { throw .unknownLanguage(text, known: found.isEmpty ? near(base) : found) }
        return found[0]
    }

    /// English name of a code's language, with its script where the code has one.
    package static func name(of code: String) -> String {
        let parts = code.split(separator: "_").map(String.init)
        let language = english.localizedString(forLanguageCode: parts.first ?? code) ?? code
        guard parts.count == 2, parts[1].count == 4,
            let script = english.localizedString(forScriptCode: parts[1])
        else { return language }
        return "\(language) (\(script))"
    }

    private static let english = Locale(identifier: "en_US")

    /// Codes that start like the asked one, or all.
    private func near(_ base: String) -> [String] {
        let near = all.filter { $0.lowercased().hasPrefix(base.prefix(2)) }
        return near.isEmpty ? all : near
    }

    /// Codes of ISO 639-3 for single languages where ISO 639-1 has one for a group, as the models mean them.
    private static let groups = [
        "als": "sq", "arb": "ar", "azj": "az", "ckb": "ku", "est": "et", "gaz": "om", "khk": "mn", "lvs": "lv",
        "nob": "no", "npi": "ne", "ory": "or", "pbt": "ps", "pes": "fa", "plt": "mg", "swh": "sw", "uzn": "uz",
        "ydd": "yi", "zho": "zh", "zsm": "ms", "kmr": "ku",
    ]

    /// Names and codes that stand for a code, in lowercase.
    private static func names(of code: String) -> Set<String> {
        let base = String(code.prefix { $0 != "_" })
        var names: Set = [base]
        for code in [base, groups[base]].compactMap({ $0 }) {
            names.insert(code)
            let language = Locale.LanguageCode(code)
            for type in [Locale.LanguageCode.IdentifierType.alpha2, .alpha3] {
                if let identifier = language.identifier(type) { names.insert(identifier.lowercased()) }
            }
            if let name = english.localizedString(forLanguageCode: code) { names.insert(name.lowercased()) }
        }
        return names
    }
}

/// Tokens that stand for languages in a translation model's vocabulary.
struct LanguageTokens {
    let codes: LanguageCodes
    private let ids: [String: Int]
    private let tokens: Set<Int>

    /// The languages of a tokenizer's added tokens; nil where there are none.
    init?(_ tokenizer: Tokenizer) {
        var codes: [String] = [], ids: [String: Int] = [:]
        for (id, piece) in tokenizer.addedPieces {
            guard let code = Self.code(of: piece) else { continue }
            codes.append(code)
            ids[code] = id
        }
        if codes.isEmpty { return nil }
        self.codes = LanguageCodes(codes)
        self.ids = ids
        tokens = Set(ids.values)
    }

    /// The language of a token: `fra_Latn`, `fr_XX`, or `fr` of `__fr__`.
    private static func code(of piece: String) -> String? {
        func letters(_ text: Substring, _ counts: ClosedRange<Int>) -> Bool {
            counts.contains(text.count) && text.allSatisfy { $0.isASCII && $0.isLetter }
        }
        if piece.hasPrefix("__"), piece.hasSuffix("__"), letters(piece.dropFirst(2).dropLast(2), 2...3) {
            return String(piece.dropFirst(2).dropLast(2))
        }
        let parts = piece.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, letters(parts[0], 2...3), parts[0].allSatisfy(\.isLowercase),
            letters(parts[1], 2...4), parts[1].first?.isUppercase == true
        else { return nil }
        return piece
    }

    func id(of language: String) throws(GenerationError) -> Int {
        let code = try codes.code(of: language)
        guard let id = ids[code] else { throw .missingToken(code) }
        return id
    }

    /// A source with another language: its token stands first (NLLB, mBART-50, M2M100) or last (mBART).
    func source(_ source: [Int], language: Int) -> [Int] {
        var source = source
        if let first = source.first, tokens.contains(first) {
            source[0] = language
        } else if let last = source.last, tokens.contains(last) {
            source[source.count - 1] = language
        } else {
            source.insert(language, at: 0)
        }
        return source
    }

    /// The decoder's first tokens: the target language behind the start token, or in its place where that is a language
    /// (mBART).
    func start(_ start: [Int], language: Int) -> [Int] {
        if let last = start.last, tokens.contains(last) { return start.dropLast() + [language] }
        return start + [language]
    }

    /// True where the decoder's first tokens name a language already.
    func namesLanguage(_ start: [Int]) -> Bool { start.contains(where: tokens.contains) }
}

extension LanguageTokens {
    /// The languages of a model's files; nil for a model that has no tokens for languages.
    /// - Throws: `TokenizationError` for a damaged tokenizer.
    init?(of model: any Model, _ files: ModelFiles) throws {
        guard type(of: model).hasLanguageTokens else { return nil }
        self.init(try Tokenizer(files))
    }
}

extension LanguageCodes {
    /// The languages of a model's files; nil for a model that has no tokens for languages.
    /// - Throws: `TokenizationError` for a damaged tokenizer.
    package init?(of model: any Model, _ files: ModelFiles) throws {
        guard let tokens = try LanguageTokens(of: model, files) else { return nil }
        self = tokens.codes
    }
}

/// A source text and the decoder's first tokens, in the languages asked for.
package struct TranslationPrompt {
    package let source: [Int]
    package let start: [Int]
    /// True where `start` names the language, so that the checkpoint's own choice must not be forced behind it.
    let choosesTarget: Bool

    /// - Parameters:
    ///   - source: the encoded text, with the tokenizer's own language.
    ///   - start: the model's start tokens.
    /// - Throws: ``GenerationError/unknownLanguage(_:known:)``; ``GenerationError/noTargetLanguage(known:)`` where neither the
    ///   request nor the checkpoint says which language is wanted.
    package init(
        source: [Int], start: [Int], from sourceLanguage: String?, to targetLanguage: String?, tokenizer: Tokenizer,
        hasOwnTarget: Bool
    ) throws(GenerationError) {
        guard let languages = LanguageTokens(tokenizer) else {
            (self.source, self.start, choosesTarget) = (source, start, false)
            return
        }
        self.source =
            if let sourceLanguage { languages.source(source, language: try languages.id(of: sourceLanguage)) } else {
                source
            }
        if let targetLanguage {
            self.start = languages.start(start, language: try languages.id(of: targetLanguage))
            choosesTarget = true
        } else {
            guard hasOwnTarget || languages.namesLanguage(start) else {
                throw .noTargetLanguage(known: languages.codes.all)
            }
            self.start = start
            choosesTarget = false
        }
    }
}
