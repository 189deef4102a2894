/// Elements, items, attributes and slices of values.
extension TemplateValue {
    /// The elements in order, as `for` visits them.
    /// - Throws: for values that cannot be iterated.
    func elements(_ meter: Meter) throws -> [TemplateValue] {
        switch self {
        case .undefined: return []
        case .string(let text):
            try meter.make(text.count)
            return text.scalars.map { .string(TemplateText([$0])) }
        case .list(let list):
            if case .generator(let state) = list.kind {
                if state.isUsed { return [] }
                state.isUsed = true
            }
            return list.elements
        case .mapping(let mapping): return mapping.keys
        default: throw Fault.problem("\(kind) cannot be iterated")
        }
    }

    /// The number of elements.
    /// - Throws: for values without a length.
    func length() throws -> Int {
        switch self {
        case .undefined: return 0
        case .string(let text): return text.count
        case .list(let list) where list.kind.name != "generator": return list.elements.count
        case .mapping(let mapping): return mapping.count
        default: throw Fault.problem("\(kind) has no length")
        }
    }

    /// `x[index]`: an item, else an attribute of that name.
    func item(_ index: TemplateValue) throws -> TemplateValue {
        if case .undefined = self { throw Fault.problem("\(kind) has no items") }
        if let found = member(index) { return found }
        guard case .string(let text) = index else { return .undefined("[\(index.kind)]") }
        let name = text.string
        return ownAttribute(name) ?? .undefined(name)
    }

    /// `x.name`: an attribute, else an item of that name.
    func attribute(_ name: String) throws -> TemplateValue {
        if case .undefined = self { throw Fault.problem("\(kind) has no attribute \(name)") }
        return ownAttribute(name) ?? member(.string(name)) ?? .undefined(name)
    }

    private func member(_ index: TemplateValue) -> TemplateValue? {
        switch self {
        case .string(let text):
            guard let place = place(index, count: text.count) else { return nil }
            return .string(TemplateText([text.scalars[place]]))
        case .list(let list):
            guard list.isIndexed, let place = place(index, count: list.elements.count) else { return nil }
            return list.elements[place]
        case .mapping(let mapping): return TemplateMapping.Key(index).flatMap { mapping[$0] }
        default: return nil
        }
    }

    private func place(_ index: TemplateValue, count: Int) -> Int? {
        guard let index = index.integer, index < count, index >= -count else { return nil }
        return index < 0 ? index + count : index
    }

    private func ownAttribute(_ name: String) -> TemplateValue? {
        switch self {
        case .namespace(let namespace): namespace.attributes[name]
        case .loop(let loop): loop.attribute(name)
        case .mapping where Methods.changing.contains(name): .undefined(name)
        default: Methods.exist(name, of: self) ? .callable(.method(BoundMethod(self, name))) : nil
        }
    }

    /// `x[start:stop:step]`.
    func slice(start: TemplateValue?, stop: TemplateValue?, step: TemplateValue?, _ meter: Meter) throws
        -> TemplateValue
    {
        func bound(_ value: TemplateValue?) throws -> Int? {
            guard let value, !value.isNone else { return nil }
            guard let number = value.integer else { throw Fault.problem("\(value.kind) is not a bound of a slice") }
            return number
        }
        let (start, stop, step) = (try bound(start), try bound(stop), try bound(step) ?? 1)
        guard step != 0 else { throw Fault.problem("the step of a slice is 0") }
        func places(_ count: Int) throws -> [Int] {
            /// From the end where negative, and within what the direction allows.
            func clamped(_ value: Int?, _ fallback: Int) -> Int {
                guard let value else { return fallback }
                let place = value < 0 ? max(value, -count - 1) + count : min(value, count)
                return step > 0 ? min(max(place, 0), count) : min(max(place, -1), count - 1)
            }
            let first = clamped(start, step > 0 ? 0 : count - 1)
            try meter.make(count)
            // A longer step than the whole goes nowhere, and must not overflow.
            let stride = min(max(step, -count - 1), count + 1)
            return Array(Swift.stride(from: first, to: clamped(stop, step > 0 ? count : -1), by: stride))
        }
        switch self {
        case .string(let text):
            return .string(TemplateText(try places(text.count).map { text.scalars[$0] }, isEscaped: text.isEscaped))
        case .list(let list) where list.isIndexed:
            let elements = try places(list.elements.count).map { list.elements[$0] }
            return .list(TemplateList(elements, list.kind == .tuple ? .tuple : .list))
        default: throw Fault.problem("\(kind) has no slices")
        }
    }
}

extension LoopState {
    func attribute(_ name: String) -> TemplateValue? {
        switch name {
        case "index": .integer(index + 1)
        case "index0": .integer(index)
        case "revindex": .integer(elements.count - index)
        case "revindex0": .integer(elements.count - index - 1)
        case "first": .bool(index == 0)
        case "last": .bool(index == elements.count - 1)
        case "length": .integer(elements.count)
        case "depth": .integer(1)
        case "depth0": .integer(0)
        case "previtem": index > 0 ? elements[index - 1] : .undefined("previtem")
        case "nextitem": index + 1 < elements.count ? elements[index + 1] : .undefined("nextitem")
        case "cycle", "changed": .callable(.method(BoundMethod(.loop(self), name)))
        default: nil
        }
    }
}
