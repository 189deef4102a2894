import JSON
import Regex

/// Common parts of the registries of pipeline components: look-up by "type", bounded nesting, shared fields.
enum ComponentRegistry {
    typealias Maker<Component> = @Sendable (JSONReader, _ depth: Int) throws -> Component

    static let maximumDepth = 16

    static func make<Component>(_ field: JSONReader, from makers: [String: Maker<Component>], depth: Int) throws
        -> Component
    {
        guard depth < maximumDepth else {
            throw field.wrongType(expected: "nested at most \(maximumDepth) deep", actual: "deeper")
        }
        let type = try field.string("type")
        guard let maker = makers[type] else {
            throw TokenizationError.unsupported(
                file: field.file, field: field.path, kind: type, known: makers.keys.sorted())
        }
        return try maker(field, depth)
    }

    /// Largest growth of a text by the steps of one component, as a factor. Those of published tokenizers stay below 200.
    static let largestGrowth = 4096.0

    /// Checks that the steps of a normalizer, a pre-tokenizer or a decoder, each applied to the output of the one before, cannot
    /// make a text grow without bound.
    static func checkGrowth(_ field: JSONReader) throws {
        let factor = try growth(of: field)
        guard factor <= largestGrowth else {
            throw field.wrongType(
                expected: "steps that lengthen a text at most \(Int(largestGrowth)) times",
                actual: "such that lengthen it more")
        }
    }

    /// A bound on the bytes that come out of a component for each that goes in.
    private static func growth(of field: JSONReader) throws -> Double {
        switch try field.string("type") {
        case "Sequence":
            let steps = ["normalizers", "pretokenizers", "decoders"].first { field.has($0) }
            return try (steps.map { try field.member($0).elements() } ?? []).reduce(1) {
                min($0 * (try growth(of: $1)), 2 * largestGrowth)
            }
        case "Replace":
            let content = Double(try field.bytes("content").count)
            guard case .literal(let literal) = try pattern(field.member("pattern")) else { return content + 1 }
            return max(1, content / Double(max(literal.count, 1)))
        case "Prepend": return Double(try field.bytes("prepend").count + 1)
        // The longest decomposition, of U+FDFA, takes 33 bytes for three.
        case "NFKC", "NFKD": return 11
        case "Precompiled": return 33
        case "ByteLevel", "Metaspace": return 4
        case "NFC", "NFD", "BertNormalizer": return 3
        case "Lowercase", "WordPiece": return 2
        default: return 1
        }
    }

    /// `{"String": "…"}` or `{"Regex": "…"}`.
    static func pattern(_ field: JSONReader) throws -> SplitPattern {
        if case .string(let literal) = field.value { return .literal(Array(literal.utf8)) }
        if let literal = try field.memberIfPresent("String") { return .literal(try literal.bytes()) }
        let regex = try field.member("Regex")
        return .regex(try compiled(try regex.string(), file: field.file, field: regex.path))
    }

    static func compiled(_ source: String, file: String, field: String) throws -> Pattern {
        do {
            return try Pattern(source)
        } catch let failure as PatternError {
            throw TokenizationError.pattern(file: file, field: field, pattern: source, reason: failure.reason)
        }
    }

    static func metaspaceMark(_ field: JSONReader) throws -> [UInt8] {
        guard let mark = try field.memberIfPresent("replacement") else { return Array("▁".utf8) }
        return Array(String(try mark.scalar()).utf8)
    }

    /// `prepend_scheme`, or its older form `add_prefix_space`.
    static func prependScheme(_ field: JSONReader) throws -> PrependScheme {
        guard let name = try field.memberIfPresent("prepend_scheme") else {
            return try field.bool("add_prefix_space", default: true) ? .always : .never
        }
        guard let scheme = PrependScheme(rawValue: try name.string()) else {
            throw TokenizationError.unsupported(
                file: field.file, field: name.path, kind: try name.string(),
                known: PrependScheme.allCases.map(\.rawValue))
        }
        return scheme
    }
}
