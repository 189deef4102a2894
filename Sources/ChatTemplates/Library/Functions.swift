/// The global functions.
enum Functions {
    static let names: Set<String> = ["raise_exception", "namespace", "range", "dict", "strftime_now"]

    static func call(_ name: String, _ arguments: Arguments, _ interpreter: Interpreter) throws -> TemplateValue {
        switch name {
        case "raise_exception":
            let message = try arguments.bind("message", required: 1)[0]
            throw Fault.raised(try (message ?? .none).text(interpreter.meter).string)
        case "namespace": return try namespace(arguments, interpreter)
        case "range": return try range(arguments, interpreter.meter)
        case "dict": return try interpreter.meter.checked(.mapping(mapping(arguments, interpreter.meter)))
        case "strftime_now":
            let format = try arguments.bind("format", required: 1)[0].text()
            guard let date = interpreter.date else { throw Fault.problem("the date is not known") }
            return .string(date.formatted(format.string))
        default: throw Fault.problem("there is no function \(name)")
        }
    }

    private static func namespace(_ arguments: Arguments, _ interpreter: Interpreter) throws -> TemplateValue {
        let namespace = Namespace()
        let entries = try mapping(arguments, interpreter.meter)
        for (key, value) in zip(entries.keys, entries.values) {
            namespace.set(try key.text(interpreter.meter).string, value)
        }
        interpreter.register(namespace)
        return .namespace(namespace)
    }

    /// A dictionary from another one or a list of pairs, and from named arguments.
    private static func mapping(_ arguments: Arguments, _ meter: Meter) throws -> TemplateMapping {
        guard arguments.positional.count <= 1 else { throw Fault.problem("takes at most one argument without a name") }
        var result = TemplateMapping()
        func set(_ key: TemplateValue, _ value: TemplateValue) throws {
            try meter.make(1)
            guard result.set(key, value) else { throw Fault.problem("\(key.kind) cannot be a key") }
        }
        switch arguments.positional.first {
        case nil: break
        case .mapping(let other): for (key, value) in zip(other.keys, other.values) { try set(key, value) }
        case .some(let pairs):
            for pair in try pairs.elements(meter) {
                let pair = try pair.elements(meter)
                guard pair.count == 2 else { throw Fault.problem("pairs of key and value are needed") }
                try set(pair[0], pair[1])
            }
        }
        for (name, value) in arguments.named { try set(.string(name), value) }
        return result
    }

    private static func range(_ arguments: Arguments, _ meter: Meter) throws -> TemplateValue {
        let bounds = try arguments.bind("start", "stop", "step", required: 1)
        let (start, stop) =
            bounds[1] == nil ? (0, try bounds[0].integer(0)) : (try bounds[0].integer(0), try bounds[1].integer(0))
        let step = try bounds[2].integer(1)
        guard step != 0 else { throw Fault.problem("the step of a range is 0") }
        let (span, overflow) = stop.subtractingReportingOverflow(start)
        let isEmpty = step > 0 ? stop <= start : stop >= start
        // Rounded up, as the last step may be a part of one.
        let count = isEmpty ? 0 : overflow ? UInt.max : (span.magnitude - 1) / step.magnitude + 1
        guard count <= TemplateLimits.range else {
            throw Fault.limit("a range of more than \(TemplateLimits.range) elements")
        }
        try meter.make(Int(count))
        let elements = (0..<Int(count)).map { TemplateValue.integer(start + $0 * step) }
        return .list(TemplateList(elements, .range(start: start, stop: stop, step: step)))
    }
}
