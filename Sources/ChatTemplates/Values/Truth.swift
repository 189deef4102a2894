/// Truth, equality and order, as Python defines them.
extension TemplateValue {
    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .integer(let value): value != 0
        case .float(let value): value != 0
        case .string(let text): !text.isEmpty
        case .list(let list): !list.elements.isEmpty || list.kind.name == "generator"
        case .mapping(let mapping): mapping.count > 0
        case .namespace, .loop, .callable: true
        }
    }

    var isUndefined: Bool { if case .undefined = self { true } else { false } }
    var isNone: Bool { if case .none = self { true } else { false } }

    /// The value of a number; booleans are numbers.
    var integer: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }

    var double: Double? { if case .float(let value) = self { value } else { integer.map(Double.init) } }

    // MARK: Equality

    func isEqual(to other: TemplateValue, _ meter: Meter) throws -> Bool {
        try meter.step()
        switch (self, other) {
        case (.undefined, .undefined), (.none, .none): return true
        case (.string(let a), .string(let b)):
            guard a.count == b.count else { return false }
            try meter.work(a.count)
            return a == b
        case (.list(let a), .list(let b)): return try Self.areEqual(a, b, meter)
        case (.mapping(let a), .mapping(let b)):
            guard a.count == b.count else { return false }
            for (key, value) in zip(a.keys, a.values) {
                guard let name = TemplateMapping.Key(key), let second = b[name], try value.isEqual(to: second, meter)
                else { return false }
            }
            return true
        case (.namespace(let a), .namespace(let b)): return a === b
        case (.loop(let a), .loop(let b)): return a === b
        case (.callable(.macro(let a)), .callable(.macro(let b))): return a == b
        case (.callable(.function(let a)), .callable(.function(let b))): return a == b
        default:
            if let a = integer, let b = other.integer { return a == b }
            if let a = double, let b = other.double { return a == b }
            return false
        }
    }

    private static func areEqual(_ a: TemplateList, _ b: TemplateList, _ meter: Meter) throws -> Bool {
        switch (a.kind, b.kind) {
        case (.list, .list), (.tuple, .tuple), (.range, .range), (.view, .view):
            guard a.elements.count == b.elements.count else { return false }
            for (first, second) in zip(a.elements, b.elements) {
                guard try first.isEqual(to: second, meter) else { return false }
            }
            return true
        default: return a.kind == b.kind
        }
    }

    // MARK: Order

    /// - Throws: for values that have no order.
    func isLess(than other: TemplateValue, _ meter: Meter) throws -> Bool {
        try meter.step()
        switch (self, other) {
        case (.string(let a), .string(let b)):
            try meter.work(min(a.count, b.count))
            return a < b
        case (.list(let a), .list(let b)) where a.kind == b.kind && (a.kind == .list || a.kind == .tuple):
            for (first, second) in zip(a.elements, b.elements) {
                if try !first.isEqual(to: second, meter) { return try first.isLess(than: second, meter) }
            }
            return a.elements.count < b.elements.count
        default:
            if let a = integer, let b = other.integer { return a < b }
            if let a = double, let b = other.double { return a < b }
            throw Fault.problem("\(kind) and \(other.kind) have no order")
        }
    }

    func compare(_ operation: ComparisonOperator, _ other: TemplateValue, _ meter: Meter) throws -> Bool {
        switch operation {
        case .equal: return try isEqual(to: other, meter)
        case .notEqual: return try !isEqual(to: other, meter)
        case .less: return try isLess(than: other, meter)
        case .greater: return try other.isLess(than: self, meter)
        case .lessOrEqual: return try isLess(than: other, meter) || isEqual(to: other, meter)
        case .greaterOrEqual: return try other.isLess(than: self, meter) || isEqual(to: other, meter)
        case .isIn: return try other.contains(self, meter)
        case .isNotIn: return try !other.contains(self, meter)
        }
    }

    // MARK: Membership

    func contains(_ element: TemplateValue, _ meter: Meter) throws -> Bool {
        switch self {
        case .string(let text):
            guard case .string(let needle) = element else {
                throw Fault.problem("a string cannot contain \(element.kind)")
            }
            try meter.work(text.count + needle.count)
            return text.contains(needle)
        case .mapping(let mapping):
            guard let key = TemplateMapping.Key(element) else {
                if element.isUndefined { return false }
                throw Fault.problem("\(element.kind) cannot be a key")
            }
            return mapping[key] != nil
        default:
            for candidate in try elements(meter) where try candidate.isEqual(to: element, meter) { return true }
            return false
        }
    }
}
