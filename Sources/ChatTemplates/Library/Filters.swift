/// The filters.
enum Filters {
    typealias Filter = @Sendable (TemplateValue, Arguments, Interpreter) throws -> TemplateValue

    /// - Throws: for a filter that does not exist, or operands that it refuses.
    static func apply(
        _ name: String, to value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        guard let filter = general[name] ?? TextFilters.table[name] ?? SequenceFilters.table[name] else {
            throw Fault.problem("there is no such filter")
        }
        return try filter(value, arguments, interpreter)
    }

    private static let general: [String: Filter] = [
        "default": fallback, "d": fallback, "tojson": json, "int": integer, "float": float, "abs": magnitude,
        "round": rounded, "attr": attribute,
    ]

    private static func fallback(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let given = try arguments.bind("default_value", "boolean")
        let isReplaced = value.isUndefined || (given[1].isTrue(false) && !value.isTrue)
        return isReplaced ? given[0] ?? .string("") : value
    }

    private static func json(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        .string(try TemplateJSON.text(value, arguments, interpreter.meter))
    }

    private static func attribute(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let name = try arguments.bind("name", required: 1)[0].text().string
        // Entries of a dictionary are no attributes.
        if case .mapping = value, !Methods.exist(name, of: value) { return .undefined(name) }
        return try value.attribute(name)
    }

    // MARK: Numbers

    private static func integer(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let given = try arguments.bind("default", "base")
        let base = try given[1].integer(10)
        let fallback = given[0] ?? .integer(0)
        if value.isUndefined { throw Fault.problem("\(value.kind) is no number") }
        if let number = value.integer { return .integer(number) }
        var float = value.double
        if case .string(let text) = value {
            let digits = text.trimmed().string.filter { $0 != "_" }
            if (2...36).contains(base), let number = Int(digits, radix: base) { return .integer(number) }
            float = Double(digits)
        }
        return float.flatMap { Int(exactly: $0.rounded(.towardZero)) }.map(TemplateValue.integer) ?? fallback
    }

    private static func float(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let fallback = try arguments.bind("default")[0] ?? .float(0)
        if value.isUndefined { throw Fault.problem("\(value.kind) is no number") }
        if case .string(let text) = value { return Double(text.trimmed().string).map(TemplateValue.float) ?? fallback }
        return value.double.map(TemplateValue.float) ?? fallback
    }

    private static func magnitude(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        _ = try arguments.bind()
        if case .float(let number) = value { return .float(number.magnitude) }
        guard let number = value.integer else { throw Fault.problem("\(value.kind) is no number") }
        return number < 0 ? try value.negated() : .integer(number)
    }

    private static func rounded(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let given = try arguments.bind("precision", "method")
        guard let number = value.double else { throw Fault.problem("\(value.kind) is no number") }
        let precision = try given[0].integer(0)
        guard (0...15).contains(precision) else { throw Fault.problem("the precision is 0 to 15") }
        let isPlain = try given[1].text("common") == "common"
        if isPlain, let number = value.integer { return .integer(number) }
        let rule: FloatingPointRoundingRule
        switch try given[1].text("common").string {
        case "common": rule = .toNearestOrEven
        case "ceil": rule = .up
        case "floor": rule = .down
        default: throw Fault.problem("the method is common, ceil or floor")
        }
        let scale = (0..<precision).reduce(1.0) { product, _ in product * 10 }
        let scaled = (number * scale).rounded(rule) / scale
        return .float(scaled.isFinite ? scaled : number)
    }
}
