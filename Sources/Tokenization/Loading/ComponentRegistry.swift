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
