/// Arithmetic of numbers, strings and lists. Integers that leave 64 bits are an error.
extension TemplateValue {
    func apply(_ operation: ArithmeticOperator, _ other: TemplateValue, _ meter: Meter) throws -> TemplateValue {
        switch (operation, self, other) {
        case (.add, .string(let a), .string(let b)): return .string(try a.adding(b, meter))
        case (.add, .list(let a), .list(let b)) where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
            return try meter.list(a.elements + b.elements, a.kind)
        case (.multiply, .string(let text), _) where other.integer != nil:
            return .string(try text.repeated(other.integer ?? 0, meter))
        case (.multiply, _, .string(let text)) where integer != nil:
            return .string(try text.repeated(integer ?? 0, meter))
        case (.multiply, .list(let list), _) where other.integer != nil && (list.kind == .list || list.kind == .tuple):
            let count = max(0, other.integer ?? 0)
            let (total, overflow) = list.elements.count.multipliedReportingOverflow(by: count)
            try meter.make(overflow ? .max : total)
            return .list(TemplateList(total == 0 ? [] : (0..<count).flatMap { _ in list.elements }, list.kind))
        case (.modulo, .string(let format), _): return .string(try Formatting.percent(format, other, meter))
        default: return try number(operation, other)
        }
    }

    private func number(_ operation: ArithmeticOperator, _ other: TemplateValue) throws -> TemplateValue {
        if let a = integer, let b = other.integer, operation != .divide, !(operation == .power && b < 0) {
            return .integer(try Self.integers(operation, a, b))
        }
        guard let a = double, let b = other.double else {
            throw Fault.problem("\(kind) \(operation.rawValue) \(other.kind) is not defined")
        }
        switch operation {
        case .add: return .float(a + b)
        case .subtract: return .float(a - b)
        case .multiply: return .float(a * b)
        case .power:
            guard let result = Self.power(a, b) else { throw Fault.problem("powers of floats are not supported") }
            return .float(result)
        case .divide, .floorDivide, .modulo:
            guard b != 0 else { throw Fault.problem("division by zero") }
            if operation == .divide { return .float(a / b) }
            let rest = a.truncatingRemainder(dividingBy: b)
            let modulo = rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
            return .float(operation == .modulo ? modulo : ((a - modulo) / b).rounded())
        }
    }

    private static func integers(_ operation: ArithmeticOperator, _ a: Int, _ b: Int) throws -> Int {
        func checked(_ result: (partialValue: Int, overflow: Bool)) throws -> Int {
            guard !result.overflow else { throw Fault.problem("the result does not fit into 64 bits") }
            return result.partialValue
        }
        switch operation {
        case .add: return try checked(a.addingReportingOverflow(b))
        case .subtract: return try checked(a.subtractingReportingOverflow(b))
        case .multiply: return try checked(a.multipliedReportingOverflow(by: b))
        case .power:
            // 0, 1 and -1 stay small however large the exponent is.
            if a.magnitude < 2 { return b == 0 ? 1 : a < 0 && b % 2 == 0 ? 1 : a }
            var result = 1
            for _ in 0..<min(b, 64) { result = try checked(result.multipliedReportingOverflow(by: a)) }
            return result
        case .divide, .floorDivide, .modulo:
            guard b != 0 else { throw Fault.problem("division by zero") }
            let quotient = try checked(a.dividedReportingOverflow(by: b))
            let rest = a - quotient * b
            let roundsDown = rest != 0 && (rest < 0) != (b < 0)
            return operation == .modulo ? (roundsDown ? rest + b : rest) : quotient - (roundsDown ? 1 : 0)
        }
    }

    /// Powers with whole exponents.
    private static func power(_ base: Double, _ exponent: Double) -> Double? {
        guard exponent == exponent.rounded(), exponent.magnitude < 1024 else { return nil }
        let result = (0..<Int(exponent.magnitude)).reduce(1.0) { product, _ in product * base }
        return exponent < 0 ? 1 / result : result
    }

    func negated() throws -> TemplateValue {
        if case .float(let value) = self { return .float(-value) }
        guard let value = integer else { throw Fault.problem("\(kind) has no sign") }
        guard value != .min else { throw Fault.problem("the result does not fit into 64 bits") }
        return .integer(-value)
    }
}

extension TemplateText {
    func adding(_ other: TemplateText, _ meter: Meter) throws -> TemplateText {
        try meter.make(count + other.count)
        guard isEscaped || other.isEscaped else { return TemplateText(scalars + other.scalars) }
        let first = isEscaped ? self : htmlEscaped
        let second = other.isEscaped ? other : other.htmlEscaped
        return TemplateText(first.scalars + second.scalars, isEscaped: true)
    }

    func repeated(_ times: Int, _ meter: Meter) throws -> TemplateText {
        let (total, overflow) = count.multipliedReportingOverflow(by: max(0, times))
        try meter.make(overflow ? .max : total)
        // Nothing repeated is nothing, however often.
        if total == 0 { return TemplateText([], isEscaped: isEscaped) }
        return TemplateText((0..<times).lazy.flatMap { _ in scalars }, isEscaped: isEscaped)
    }
}

extension Meter {
    /// A list whose elements are counted.
    func list(_ elements: [TemplateValue], _ kind: TemplateList.Kind = .list) throws -> TemplateValue {
        try make(elements.count)
        return try checked(.list(TemplateList(elements, kind)))
    }

    /// A container, if it is not nested too deep.
    func checked(_ value: TemplateValue) throws -> TemplateValue {
        guard value.depth <= TemplateLimits.valueNesting else {
            throw Fault.limit("values nested more than \(TemplateLimits.valueNesting) deep")
        }
        return value
    }
}
