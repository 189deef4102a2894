/// The filters of lists and dictionaries.
enum SequenceFilters {
    static let table: [String: Filters.Filter] = [
        "length": length, "count": length, "list": list, "first": first, "last": last, "reverse": reverse,
        "join": join, "map": map, "items": items, "dictsort": dictSort, "sort": sort, "unique": unique, "sum": sum,
        "min": { try extreme($0, $1, $2, takesLeast: true) }, "max": { try extreme($0, $1, $2, takesLeast: false) },
        "select": { try select($0, $1, $2, keeps: true) }, "reject": { try select($0, $1, $2, keeps: false) },
        "selectattr": { try selectByAttribute($0, $1, $2, keeps: true) },
        "rejectattr": { try selectByAttribute($0, $1, $2, keeps: false) },
    ]

    private static func length(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        _ = try arguments.bind()
        return .integer(try value.length())
    }

    private static func list(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        _ = try arguments.bind()
        return try interpreter.meter.list(value.elements(interpreter.meter))
    }

    private static func generator(_ elements: [TemplateValue], _ interpreter: Interpreter) throws -> TemplateValue {
        try interpreter.meter.list(elements, .generator(GeneratorState()))
    }

    private static func first(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        _ = try arguments.bind()
        return try value.elements(interpreter.meter).first ?? .undefined("first element")
    }

    private static func last(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        _ = try arguments.bind()
        if case .list(let list) = value, list.kind.name == "generator" {
            throw Fault.problem("a generator has no last element")
        }
        return try value.elements(interpreter.meter).last ?? .undefined("last element")
    }

    private static func reverse(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        _ = try arguments.bind()
        if case .string(let text) = value {
            try interpreter.meter.make(text.count)
            return .string(TemplateText(text.scalars.reversed(), isEscaped: text.isEscaped))
        }
        return try generator(value.elements(interpreter.meter).reversed(), interpreter)
    }

    private static func join(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let meter = interpreter.meter
        let given = try arguments.bind("d", "attribute")
        let elements = try value.elements(meter)
        let key = given[1].flatMap { $0.isNone ? nil : $0 }
        let parts = try elements.map { element in
            try (key.map { try path($0, of: element) } ?? element).text(meter)
        }
        return .string(try (given[0] ?? .string("")).text(meter).joining(parts, meter))
    }

    // MARK: Attributes

    /// The attribute of an element, by a path such as `function.name` or an index.
    /// - Parameter fallback: stands for what does not exist on the way.
    private static func path(
        _ name: TemplateValue, of element: TemplateValue, or fallback: TemplateValue? = nil
    ) throws -> TemplateValue {
        var indices = [name]
        if case .string(let text) = name {
            indices = text.split(at: ".", limit: .max).map { part in
                (part.scalars.allSatisfy(\.isDigit) ? Int(part.string) : nil).map(TemplateValue.integer)
                    ?? .string(part)
            }
        }
        return try indices.reduce(element) { value, index in
            let found = try value.item(index)
            return found.isUndefined ? fallback ?? found : found
        }
    }

    private static func map(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let elements = try value.elements(interpreter.meter)
        if arguments.positional.isEmpty {
            let given = try arguments.bind("attribute", "default")
            guard let name = given[0] else { throw Fault.problem("a filter or an attribute is missing") }
            return try generator(elements.map { try path(name, of: $0, or: given[1]) }, interpreter)
        }
        let (name, rest) = arguments.splitFirst()
        let filter = try name.text().string
        return try generator(
            elements.map { element in
                try interpreter.meter.step()
                return try Filters.apply(filter, to: element, rest, interpreter)
            }, interpreter)
    }

    private static func select(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter, keeps: Bool
    ) throws -> TemplateValue {
        try select(value, arguments, interpreter, keeps: keeps) { $0 }
    }

    private static func selectByAttribute(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter, keeps: Bool
    ) throws -> TemplateValue {
        let (name, rest) = arguments.splitFirst()
        guard let name else { throw Fault.problem("the attribute is missing") }
        return try select(value, rest, interpreter, keeps: keeps) { try path(name, of: $0) }
    }

    private static func select(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter, keeps: Bool,
        by key: (TemplateValue) throws -> TemplateValue
    ) throws -> TemplateValue {
        let (name, rest) = arguments.splitFirst()
        let test = try name.map { try Optional($0).text().string }
        let kept = try value.elements(interpreter.meter).filter { element in
            try interpreter.meter.step()
            let value = try key(element)
            let passes = try test.map { try ValueTests.apply($0, to: value, rest, interpreter.meter) } ?? value.isTrue
            return passes == keeps
        }
        return try generator(kept, interpreter)
    }

    // MARK: Order

    private static func items(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        _ = try arguments.bind()
        if value.isUndefined { return try generator([], interpreter) }
        guard case .mapping(let mapping) = value else { throw Fault.problem("\(value.kind) is no dictionary") }
        return try generator(Methods.pairs(of: mapping, interpreter.meter), interpreter)
    }

    /// Strings without their case, unless it matters.
    private static func sortKey(
        _ value: TemplateValue, isCaseSensitive: Bool, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        guard case .string(let text) = value, !isCaseSensitive else { return value }
        try interpreter.meter.make(text.count)
        return .string(text.lowercased)
    }

    /// - Parameter key: computed once for every element.
    private static func sorted(
        _ elements: [TemplateValue], isReversed: Bool, _ interpreter: Interpreter,
        by key: (TemplateValue) throws -> TemplateValue
    ) throws -> TemplateValue {
        let meter = interpreter.meter
        var keyed = try elements.enumerated().map { (place: $0.offset, key: try key($0.element), element: $0.element) }
        // Equal elements keep their order, in both directions.
        try keyed.sort { a, b in
            let (first, second) = isReversed ? (b.key, a.key) : (a.key, b.key)
            if try first.isLess(than: second, meter) { return true }
            if try second.isLess(than: first, meter) { return false }
            return a.place < b.place
        }
        return try meter.list(keyed.map(\.element))
    }

    private static func sort(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let given = try arguments.bind("reverse", "case_sensitive", "attribute")
        let name = given[2].flatMap { $0.isNone ? nil : $0 }
        let elements = try value.elements(interpreter.meter)
        return try sorted(elements, isReversed: given[0].isTrue(false), interpreter) { element in
            try sortKey(
                name.map { try path($0, of: element) } ?? element, isCaseSensitive: given[1].isTrue(false), interpreter)
        }
    }

    private static func dictSort(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let given = try arguments.bind("case_sensitive", "by", "reverse")
        guard case .mapping(let mapping) = value else { throw Fault.problem("\(value.kind) is no dictionary") }
        let by = try given[1].text("key").string
        guard by == "key" || by == "value" else { throw Fault.problem("a dictionary is sorted by “key” or “value”") }
        let pairs = try Methods.pairs(of: mapping, interpreter.meter)
        return try sorted(pairs, isReversed: given[2].isTrue(false), interpreter) { pair in
            try sortKey(
                pair.item(.integer(by == "key" ? 0 : 1)), isCaseSensitive: given[0].isTrue(false), interpreter)
        }
    }

    private static func unique(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let given = try arguments.bind("case_sensitive", "attribute")
        var seen = Set<TemplateMapping.Key>()
        let kept = try value.elements(interpreter.meter).filter { element in
            let value = try given[1].map { try path($0, of: element) } ?? element
            let plain = try sortKey(value, isCaseSensitive: given[0].isTrue(false), interpreter)
            guard let key = TemplateMapping.Key(plain) else { throw Fault.problem("\(plain.kind) cannot be compared") }
            return seen.insert(key).inserted
        }
        return try generator(kept, interpreter)
    }

    private static func extreme(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter, takesLeast: Bool
    ) throws -> TemplateValue {
        let given = try arguments.bind("case_sensitive", "attribute")
        func key(_ element: TemplateValue) throws -> TemplateValue {
            try sortKey(
                given[1].map { try path($0, of: element) } ?? element, isCaseSensitive: given[0].isTrue(false),
                interpreter)
        }
        var best: (element: TemplateValue, key: TemplateValue)?
        for element in try value.elements(interpreter.meter) {
            let key = try key(element)
            if let best {
                let (first, second) = takesLeast ? (key, best.key) : (best.key, key)
                guard try first.isLess(than: second, interpreter.meter) else { continue }
            }
            best = (element, key)
        }
        return best?.element ?? .undefined("element of an empty list")
    }

    private static func sum(
        _ value: TemplateValue, _ arguments: Arguments, _ interpreter: Interpreter
    ) throws -> TemplateValue {
        let given = try arguments.bind("attribute", "start")
        let name = given[0].flatMap { $0.isNone ? nil : $0 }
        return try value.elements(interpreter.meter).reduce(given[1] ?? .integer(0)) { sum, element in
            try sum.apply(.add, name.map { try path($0, of: element) } ?? element, interpreter.meter)
        }
    }
}
