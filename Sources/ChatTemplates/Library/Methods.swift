/// The methods of strings, dictionaries and lists that change nothing.
enum Methods {
    private static let ofText: Set<String> = [
        "capitalize", "casefold", "count", "endswith", "find", "format", "index", "isalnum", "isalpha", "isascii",
        "isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "ljust", "lower",
        "lstrip", "partition",
        "removeprefix", "removesuffix", "replace", "rfind", "rindex", "rjust", "rpartition", "rsplit", "rstrip",
        "split",
        "splitlines", "startswith", "strip", "swapcase", "title", "upper", "zfill",
    ]
    private static let ofMappings: Set<String> = ["get", "items", "keys", "values", "copy"]
    private static let ofLists: Set<String> = ["index", "count"]
    /// Methods that would change a dictionary. Its entries of these names are hidden, as in Jinja's sandbox.
    static let changing: Set<String> = ["clear", "pop", "popitem", "setdefault", "update", "fromkeys"]

    static func exist(_ name: String, of value: TemplateValue) -> Bool {
        switch value {
        case .string: ofText.contains(name)
        case .mapping: ofMappings.contains(name)
        case .list(let list): list.isIndexed && ofLists.contains(name)
        default: false
        }
    }

    static func call(_ method: BoundMethod, _ arguments: Arguments, _ meter: Meter) throws -> TemplateValue {
        switch method.receiver {
        case .string(let text):
            // No method takes more than a few passes over the text.
            try meter.make(text.count)
            return try TextMethods.call(method.name, text, arguments, meter)
        case .mapping(let mapping): return try call(method.name, mapping, arguments, meter)
        case .list(let list): return try call(method.name, list, arguments, meter)
        case .loop(let loop): return try call(method.name, loop, arguments, meter)
        default: throw Fault.problem("\(method.receiver.kind) has no method \(method.name)")
        }
    }

    private static func call(
        _ name: String, _ mapping: TemplateMapping, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        if name == "get" {
            guard arguments.named.isEmpty else { throw Fault.problem("takes no named arguments") }
            let given = try arguments.bind("key", "default", required: 1)
            guard let key = given[0].flatMap(TemplateMapping.Key.init) else {
                throw Fault.problem("\(given[0]?.kind ?? "nothing") cannot be a key")
            }
            return mapping[key] ?? given[1] ?? .none
        }
        _ = try arguments.bind()
        switch name {
        case "keys": return try meter.list(mapping.keys, .view("dict_keys"))
        case "values": return try meter.list(mapping.values, .view("dict_values"))
        case "items": return try meter.list(pairs(of: mapping, meter), .view("dict_items"))
        default: return .mapping(mapping)
        }
    }

    /// The entries as tuples of key and value.
    static func pairs(of mapping: TemplateMapping, _ meter: Meter) throws -> [TemplateValue] {
        try zip(mapping.keys, mapping.values).map { try meter.list([$0, $1], .tuple) }
    }

    private static func call(
        _ name: String, _ list: TemplateList, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        guard let element = try arguments.bind("value", required: 1)[0] else { return .none }
        var count = 0
        for (index, candidate) in list.elements.enumerated() where try candidate.isEqual(to: element, meter) {
            if name == "index" { return .integer(index) }
            count += 1
        }
        guard name == "count" else { throw Fault.problem("the value is not in the list") }
        return .integer(count)
    }

    private static func call(
        _ name: String, _ loop: LoopState, _ arguments: Arguments, _ meter: Meter
    ) throws -> TemplateValue {
        if name == "cycle" {
            guard !arguments.positional.isEmpty else { throw Fault.problem("no values to choose from") }
            return arguments.positional[loop.index % arguments.positional.count]
        }
        let value = try meter.list(arguments.positional, .tuple)
        defer { loop.lastSeen = value }
        return .bool(try !(loop.lastSeen?.isEqual(to: value, meter) ?? false))
    }
}
