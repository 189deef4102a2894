/// Text of values: Python's `str` and `repr`.
extension TemplateValue {
    /// `str(value)`.
    func text(_ meter: Meter) throws -> TemplateText {
        switch self {
        case .string(let text): return text
        case .undefined: return ""
        default:
            var printer = Printer(meter: meter)
            try printer.write(self)
            return TemplateText(printer.result)
        }
    }

    /// `repr(value)`.
    func literalText(_ meter: Meter) throws -> TemplateText {
        var printer = Printer(meter: meter)
        try printer.write(self)
        return TemplateText(printer.result)
    }
}

/// Collects the text of a value. Counts while it writes: values that share parts can print to far more than they hold.
private struct Printer {
    let meter: Meter
    private(set) var result: [TemplateScalar] = []
    /// Namespaces that are being written: they can contain themselves.
    private var open: [Namespace] = []

    init(meter: Meter) { self.meter = meter }

    private mutating func write(_ text: String) throws {
        try meter.make(text.utf8.count)
        result += TemplateText(text).scalars
    }

    mutating func write(_ value: TemplateValue) throws {
        switch value {
        case .undefined: try write("Undefined")
        case .none: try write("None")
        case .bool(let value): try write(value ? "True" : "False")
        case .integer(let value): try write("\(value)")
        case .float(let value): try write(PythonFloat.text(value))
        case .string(let text): try write(quoted: text)
        case .list(let list): try write(list)
        case .mapping(let mapping):
            try write("{")
            for (index, (key, value)) in zip(mapping.keys, mapping.values).enumerated() {
                if index > 0 { try write(", ") }
                try write(key)
                try write(": ")
                try write(value)
            }
            try write("}")
        case .namespace(let namespace): try write(namespace)
        case .loop(let loop): try write("<LoopContext \(loop.index + 1)/\(loop.elements.count)>")
        case .callable(.macro): try write("<Macro>")
        case .callable(.function(let name)): try write("<function \(name)>")
        case .callable(.method(let method)):
            try write("<built-in method \(method.name) of \(method.receiver.kind) object>")
        }
    }

    private mutating func write(_ list: TemplateList) throws {
        switch list.kind {
        case .list: try write(list.elements, "[", "]")
        case .tuple: try write(list.elements, "(", list.elements.count == 1 ? ",)" : ")")
        case .range(let start, let stop, let step):
            try write("range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))")
        case .view(let name): try write(list.elements, name + "([", "])")
        case .generator: try write("<generator object>")
        }
    }

    private mutating func write(_ elements: [TemplateValue], _ start: String, _ end: String) throws {
        try write(start)
        for (index, element) in elements.enumerated() {
            if index > 0 { try write(", ") }
            try write(element)
        }
        try write(end)
    }

    private mutating func write(_ namespace: Namespace) throws {
        guard !open.contains(where: { $0 === namespace }), open.count < TemplateLimits.nesting else {
            throw Fault.problem("a namespace that contains itself cannot be printed")
        }
        open.append(namespace)
        try write("<Namespace {")
        for (index, name) in namespace.names.enumerated() {
            if index > 0 { try write(", ") }
            try write("'\(name)': ")
            if let value = namespace.attributes[name] { try write(value) }
        }
        try write("}>")
        open.removeLast()
    }

    /// A string literal: single quotes, double ones where the text has only single ones.
    private mutating func write(quoted text: TemplateText) throws {
        try meter.make(text.count + 2)
        if text.isEscaped { try write("Markup(") }
        defer { if text.isEscaped { result += TemplateText(")").scalars } }
        let hasSingle = text.scalars.contains { $0.value == 0x27 }
        let quote: Unicode.Scalar = hasSingle && !text.scalars.contains { $0.value == 0x22 } ? "\"" : "'"
        result.append(TemplateScalar(quote))
        for scalar in text.scalars {
            guard let escape = Self.escape(scalar, quote: quote) else {
                result.append(scalar)
                continue
            }
            result += escape.unicodeScalars.map { TemplateScalar($0, isInput: scalar.isInput) }
        }
        result.append(TemplateScalar(quote))
    }

    private static func escape(_ scalar: TemplateScalar, quote: Unicode.Scalar) -> String? {
        switch scalar.scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\\": return "\\\\"
        case quote: return "\\\(quote)"
        default:
            if scalar.isPrintable { return nil }
            let digits = String(scalar.value, radix: 16)
            let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
            return "\\\(mark)\(String(repeating: "0", count: max(0, width - digits.count)))\(digits)"
        }
    }
}

/// Text of floating-point numbers: the shortest digits that give the number back, laid out as Python does.
enum PythonFloat {
    static func text(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        // Swift has the same digits; only the layout may differ.
        let parts = "\(value.magnitude)".split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        var digits = mantissa.joined()
        /// Digits before the point.
        var point = mantissa[0].count + (parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        let zeros = digits.prefix { $0 == "0" }.count
        digits = String(digits.dropFirst(zeros))
        point -= zeros
        while digits.hasSuffix("0") { digits.removeLast() }
        let sign = value.sign == .minus ? "-" : ""
        if digits.isEmpty { return sign + "0.0" }
        if point > 16 || point < -3 {
            let fraction = digits.dropFirst()
            let exponent = point - 1
            let number = String(exponent.magnitude)
            return sign + digits.prefix(1) + (fraction.isEmpty ? "" : "." + fraction) + "e"
                + (exponent < 0 ? "-" : "+") + (number.count < 2 ? "0" : "") + number
        }
        if point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + digits }
        if digits.count <= point {
            return sign + digits + String(repeating: "0", count: point - digits.count) + ".0"
        }
        return sign + digits.prefix(point) + "." + digits.dropFirst(point)
    }
}
