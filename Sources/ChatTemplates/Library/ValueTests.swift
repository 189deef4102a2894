/// The tests behind `is`.
enum ValueTests {
    /// - Throws: for a test that does not exist, or operands that it refuses.
    static func apply(
        _ name: String, to value: TemplateValue, _ arguments: Arguments, _ meter: Meter
    ) throws -> Bool {
        if let operation = comparisons[name] {
            guard let other = try arguments.bind("other", required: 1)[0] else { return false }
            return try value.compare(operation, other, meter)
        }
        if name == "divisibleby" || name == "sameas" {
            guard let other = try arguments.bind("other", required: 1)[0] else { return false }
            return try name == "sameas" ? isSame(value, other, meter) : isDivisible(value, by: other, meter)
        }
        guard let result = try simple(name, value, meter) else { throw Fault.problem("there is no such test") }
        _ = try arguments.bind()
        return result
    }

    private static let comparisons: [String: ComparisonOperator] = [
        "eq": .equal, "equalto": .equal, "==": .equal, "ne": .notEqual, "!=": .notEqual, "lt": .less, "<": .less,
        "lessthan": .less, "le": .lessOrEqual, "<=": .lessOrEqual, "gt": .greater, ">": .greater,
        "greaterthan": .greater, "ge": .greaterOrEqual, ">=": .greaterOrEqual, "in": .isIn,
    ]

    /// Tests without arguments; nil for an unknown name.
    private static func simple(_ name: String, _ value: TemplateValue, _ meter: Meter) throws -> Bool? {
        switch name {
        case "defined": return !value.isUndefined
        case "undefined": return value.isUndefined
        case "none": return value.isNone
        case "true": if case .bool(true) = value { return true } else { return false }
        case "false": if case .bool(false) = value { return true } else { return false }
        case "boolean": if case .bool = value { return true } else { return false }
        case "integer": if case .integer = value { return true } else { return false }
        case "float": if case .float = value { return true } else { return false }
        case "number": return value.double != nil
        case "string": if case .string = value { return true } else { return false }
        case "mapping": if case .mapping = value { return true } else { return false }
        case "callable": if case .callable = value { return true } else { return false }
        case "iterable": return isIterable(value)
        case "sequence":
            if case .list(let list) = value { return list.isIndexed }
            return isIterable(value)
        case "odd": return try remainder(value, meter) == 1
        case "even": return try remainder(value, meter) == 0
        case "lower": return try isCase(value, meter) { $0.isLowercase && !$0.isUppercase }
        case "upper": return try isCase(value, meter) { $0.isUppercase && !$0.isLowercase }
        case "escaped": if case .string(let text) = value { return text.isEscaped } else { return false }
        default: return nil
        }
    }

    private static func isIterable(_ value: TemplateValue) -> Bool {
        switch value {
        case .undefined, .string, .list, .mapping: true
        default: false
        }
    }

    private static func remainder(_ value: TemplateValue, _ meter: Meter) throws -> Double? {
        try value.apply(.modulo, .integer(2), meter).double
    }

    private static func isDivisible(_ value: TemplateValue, by other: TemplateValue, _ meter: Meter) throws -> Bool {
        try value.apply(.modulo, other, meter).double == 0
    }

    private static func isSame(_ value: TemplateValue, _ other: TemplateValue, _ meter: Meter) throws -> Bool {
        try value.kind == other.kind && value.isEqual(to: other, meter)
    }

    /// All letters that have a case have this one, and there are some.
    private static func isCase(
        _ value: TemplateValue, _ meter: Meter, _ matches: (Unicode.Scalar.Properties) -> Bool
    ) throws -> Bool {
        let cased = try value.text(meter).scalars.lazy.map(\.scalar.properties).filter(\.isCased)
        return !cased.isEmpty && cased.allSatisfy(matches)
    }
}
