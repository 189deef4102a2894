/// Writes values as JSON: Python's `json.dumps`.
struct TemplateJSON {
    private let meter: Meter
    private let isASCII: Bool
    private let sortsKeys: Bool
    /// Indentation of one level; nil for one line.
    private let indent: TemplateText?
    private let separators: (item: TemplateText, key: TemplateText)
    private var result: [TemplateScalar] = []
    private var level = 0

    /// The JSON text of a value, with the arguments of the filter `tojson`.
    static func text(_ value: TemplateValue, _ arguments: Arguments, _ meter: Meter) throws -> TemplateText {
        var output = try TemplateJSON(arguments, meter)
        try output.write(value)
        return TemplateText(output.result)
    }

    private init(_ arguments: Arguments, _ meter: Meter) throws {
        let options = try arguments.bind("ensure_ascii", "indent", "separators", "sort_keys")
        self.meter = meter
        isASCII = options[0].isTrue(false)
        sortsKeys = options[3].isTrue(false)
        switch options[1] {
        case nil, .some(.none): indent = nil
        case .string(let text): indent = text
        case .some(let value): indent = try TemplateText(" ").repeated(Optional(value).integer(0), meter)
        }
        if let pair = options[2], !pair.isNone {
            let parts = try pair.elements(meter)
            guard parts.count == 2 else { throw Fault.problem("separators are two strings") }
            separators = (try Optional(parts[0]).text(), try Optional(parts[1]).text())
        } else {
            separators = (indent == nil ? ", " : ",", ": ")
        }
    }

    private mutating func write(_ text: TemplateText) throws {
        try meter.make(text.count)
        result += text.scalars
    }

    private mutating func write(_ value: TemplateValue) throws {
        switch value {
        case .none: try write("null")
        case .bool(let value): try write(value ? "true" : "false")
        case .integer(let value): try write(TemplateText("\(value)"))
        case .float(let value): try write(TemplateText(Self.number(value)))
        case .string(let text): try write(quoted: text)
        case .mapping(let mapping): try write(mapping)
        case .list(let list) where list.kind == .list || list.kind == .tuple:
            try write(list.elements, "[", "]") { output, element in try output.write(element) }
        default: throw Fault.problem("\(value.kind) cannot be written as JSON")
        }
    }

    private static func number(_ value: Double) -> String {
        value.isNaN ? "NaN" : value.isInfinite ? (value < 0 ? "-Infinity" : "Infinity") : PythonFloat.text(value)
    }

    private mutating func write(_ mapping: TemplateMapping) throws {
        var entries = Array(zip(mapping.keys, mapping.values))
        if sortsKeys {
            let meter = meter
            entries = try entries.sorted { try $0.0.isLess(than: $1.0, meter) }
        }
        try write(entries, "{", "}") { output, entry in
            switch entry.0 {
            case .string(let text): try output.write(quoted: text)
            default:
                // Other keys are written as strings.
                try output.write("\"")
                try output.write(entry.0)
                try output.write("\"")
            }
            try output.write(output.separators.key)
            try output.write(entry.1)
        }
    }

    private mutating func write<Element>(
        _ elements: [Element], _ start: TemplateText, _ end: TemplateText,
        _ write: (inout TemplateJSON, Element) throws -> Void
    ) throws {
        try self.write(start)
        if !elements.isEmpty {
            level += 1
            for (index, element) in elements.enumerated() {
                if index > 0 { try self.write(separators.item) }
                try newLine()
                try write(&self, element)
            }
            level -= 1
            try newLine()
        }
        try self.write(end)
    }

    private mutating func newLine() throws {
        guard let indent else { return }
        try write("\n")
        for _ in 0..<level { try write(indent) }
    }

    private mutating func write(quoted text: TemplateText) throws {
        try meter.make(text.count + 2)
        result.append(TemplateScalar("\""))
        for scalar in text.scalars {
            guard let escape = escape(scalar) else {
                result.append(scalar)
                continue
            }
            result += escape.unicodeScalars.map { TemplateScalar($0, isInput: scalar.isInput) }
        }
        result.append(TemplateScalar("\""))
    }

    private func escape(_ scalar: TemplateScalar) -> String? {
        switch scalar.scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        case "\u{08}": return "\\b"
        case "\u{0C}": return "\\f"
        default:
            guard scalar.value < 0x20 || (isASCII && scalar.value > 0x7E) else { return nil }
            return String(Character(scalar.scalar)).utf16.map { unit in
                let digits = String(unit, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }.joined()
        }
    }
}
