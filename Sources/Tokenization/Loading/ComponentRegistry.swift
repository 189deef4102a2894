/// What the registries of pipeline components share: look-up by "type", bounded nesting, common fields.
enum ComponentRegistry {
    typealias Maker<Component> = @Sendable (JSONField, _ depth: Int) throws -> Component

    static let maximumDepth = 16

    static func make<Component>(_ field: JSONField, from makers: [String: Maker<Component>], depth: Int) throws
        -> Component
    {
        guard depth < maximumDepth else {
            throw TokenizationError.field(
                file: field.file, field: field.name, expected: "nested at most \(maximumDepth) deep", actual: "deeper")
        }
        let type = try field.required("type", expected: "a string")
        guard let maker = makers[try type.string()] else {
            throw TokenizationError.unsupported(
                file: field.file, field: field.name, kind: try type.string(), known: makers.keys.sorted())
        }
        return try maker(field, depth)
    }

    /// `{"String": "…"}` or `{"Regex": "…"}`.
    static func pattern(_ field: JSONField) throws -> SplitPattern {
        if case .string(let literal) = field.value { return .literal(literal) }
        if let literal = try field.optional("String") { return .literal(try literal.bytes()) }
        let regex = try field.required("Regex", expected: "a string, or a String beside it")
        return .regex(try compiled(try regex.string(), file: field.file, field: regex.path))
    }

    static func compiled(_ source: String, file: String, field: String) throws -> Pattern {
        do {
            return try Pattern(source)
        } catch let failure as PatternParser.Failure {
            throw TokenizationError.pattern(file: file, field: field, pattern: source, reason: failure.reason)
        }
    }

    static func metaspaceMark(_ field: JSONField) throws -> [UInt8] {
        guard let mark = try field.optional("replacement") else { return Array("▁".utf8) }
        return Array(String(try mark.scalar()).utf8)
    }

    /// `prepend_scheme`, or what the older `add_prefix_space` says.
    static func prependScheme(_ field: JSONField) throws -> PrependScheme {
        guard let name = try field.optional("prepend_scheme") else {
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
