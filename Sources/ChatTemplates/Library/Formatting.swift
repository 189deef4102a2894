/// Python's two ways of putting values into a text: `'%s' % value` and `'{}'.format(value)`.
enum Formatting {
    /// `format % value`, with the conversions s, r, d, i, f, x and %.
    static func percent(_ format: TemplateText, _ value: TemplateValue, _ meter: Meter) throws -> TemplateText {
        var values = [value]
        if case .list(let list) = value, list.kind == .tuple { values = list.elements }
        /// A container that is no tuple may have values that are not used.
        let isContainer =
            switch value {
            case .mapping: true
            case .list(let list): list.kind != .tuple && list.isIndexed
            default: false
            }
        var remaining = values[...]
        var result: [TemplateScalar] = []
        var rest = format.scalars[...]
        try meter.make(format.count)
        while let scalar = rest.popFirst() {
            guard scalar.scalar == "%" else {
                result.append(scalar)
                continue
            }
            var operand: TemplateValue?
            if rest.first?.scalar == "(" {
                let key = rest.dropFirst().prefix { $0.scalar != ")" }
                rest = rest[key.endIndex...].dropFirst()
                guard case .mapping(let mapping) = value, let found = mapping[.string(TemplateText(key))] else {
                    throw Fault.problem("there is no value for %(\(TemplateText(key).string))")
                }
                operand = found
            }
            var precision: Int?
            if rest.first?.scalar == "." {
                let digits = rest.dropFirst().prefix(while: \.isDigit)
                precision = Int(TemplateText(digits).string) ?? 0
                rest = rest[digits.endIndex...]
            }
            guard let conversion = rest.popFirst() else { throw Fault.problem("the format ends with %") }
            if conversion.scalar == "%" {
                result.append(conversion)
                continue
            }
            guard let operand = operand ?? remaining.popFirst() else {
                throw Fault.problem("too few values for the format")
            }
            let text = try converted(operand, conversion.scalar, precision, meter)
            try meter.make(text.count)
            result += text.scalars
        }
        guard remaining.isEmpty || isContainer else { throw Fault.problem("too many values for the format") }
        return TemplateText(result, isEscaped: format.isEscaped)
    }

    private static func converted(
        _ value: TemplateValue, _ conversion: Unicode.Scalar, _ precision: Int?, _ meter: Meter
    ) throws -> TemplateText {
        switch conversion {
        case "s", "r":
            let text = try conversion == "s" ? value.text(meter) : value.literalText(meter)
            return precision.map { TemplateText(text.scalars.prefix($0)) } ?? text
        case "d", "i", "x":
            guard let number = value.integer ?? value.double.flatMap({ Int(exactly: $0.rounded(.towardZero)) }) else {
                throw Fault.problem("%\(conversion) needs a number, not \(value.kind)")
            }
            return TemplateText(conversion == "x" ? String(number, radix: 16) : "\(number)")
        case "f":
            guard let number = value.double else { throw Fault.problem("%f needs a number, not \(value.kind)") }
            return TemplateText(try fixed(number, precision ?? 6))
        default: throw Fault.problem("the conversion %\(conversion) is not supported")
        }
    }

    /// The number with so many digits behind the point.
    private static func fixed(_ value: Double, _ digits: Int) throws -> String {
        let scale = (0..<min(digits, 16)).reduce(1.0) { product, _ in product * 10 }
        guard digits <= 16, let scaled = Int(exactly: (value.magnitude * scale).rounded(.toNearestOrEven)) else {
            throw Fault.problem("the number is too long to be written with \(digits) digits")
        }
        let text = "\(scaled)"
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        let sign = value < 0 ? "-" : ""
        return digits == 0 ? sign + padded : sign + padded.dropLast(digits) + "." + padded.suffix(digits)
    }

    /// `format.format(…)` with fields that are empty, numbers or names.
    static func braces(_ format: TemplateText, _ arguments: Arguments, _ meter: Meter) throws -> TemplateText {
        var result: [TemplateScalar] = []
        var rest = format.scalars[...]
        var next = 0
        try meter.make(format.count)
        while let scalar = rest.popFirst() {
            let isOpening = scalar.scalar == "{"
            guard isOpening || scalar.scalar == "}" else {
                result.append(scalar)
                continue
            }
            if rest.first == scalar {
                result.append(scalar)
                rest.removeFirst()
                continue
            }
            let field = rest.prefix { $0.scalar != "}" }
            guard isOpening, field.endIndex < rest.endIndex else {
                throw Fault.problem("a brace of the format is alone")
            }
            rest = rest[(field.endIndex + 1)...]
            let name = TemplateText(field).string
            let index = name.isEmpty ? next : Int(name)
            if name.isEmpty { next += 1 }
            let value =
                if let index { arguments.positional.indices.contains(index) ? arguments.positional[index] : nil } else {
                    arguments.named.first { $0.name == name }?.value
                }
            guard let value else { throw Fault.problem("there is no value for the field {\(name)}") }
            let text = try value.text(meter)
            try meter.make(text.count)
            result += text.scalars
        }
        return TemplateText(result, isEscaped: format.isEscaped)
    }
}
