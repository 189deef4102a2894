/// A value of a template: one of Python's, as far as templates use them.
package enum TemplateValue {
    /// A variable, attribute or item that does not exist, with its name.
    case undefined(String)
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(TemplateText)
    case list(TemplateList)
    case mapping(TemplateMapping)
    case namespace(Namespace)
    case loop(LoopState)
    case callable(Callable)

    package static func string(_ text: String, isInput: Bool = false) -> TemplateValue {
        .string(TemplateText(text, isInput: isInput))
    }

    init(_ literal: Literal) {
        self =
            switch literal {
            case .none: .none
            case .bool(let value): .bool(value)
            case .integer(let value): .integer(value)
            case .float(let value): .float(value)
            case .string(let text): .string(text)
            }
    }

    /// Levels of containers in it. Bounded: printing, comparing and releasing a value are recursive.
    var depth: Int {
        switch self {
        case .list(let list): list.depth
        case .mapping(let mapping): mapping.depth
        case .loop(let loop): loop.depth
        case .callable(.method(let method)): method.receiver.depth + 1
        default: 0
        }
    }

    /// Python's name of the type.
    var kind: String {
        switch self {
        case .undefined(let name): "undefined “\(name)”"
        case .none: "none"
        case .bool: "bool"
        case .integer: "int"
        case .float: "float"
        case .string: "str"
        case .list(let list): list.kind.name
        case .mapping: "dict"
        case .namespace: "namespace"
        case .loop: "loop"
        case .callable: "function"
        }
    }
}

/// A sequence of values. The kinds print, compare and are indexed differently.
package struct TemplateList {
    enum Kind: Equatable {
        case list, tuple
        case range(start: Int, stop: Int, step: Int)
        /// The keys, values or items of a dictionary.
        case view(String)
        /// The result of a lazy filter: always true, without length and indices, empty after its first use.
        case generator(GeneratorState)

        var name: String {
            switch self {
            case .list: "list"
            case .tuple: "tuple"
            case .range: "range"
            case .view(let name): name
            case .generator: "generator"
            }
        }
    }

    let elements: [TemplateValue]
    let kind: Kind
    let depth: Int

    init(_ elements: [TemplateValue], _ kind: Kind = .list) {
        self.elements = elements
        self.kind = kind
        depth = 1 + (elements.lazy.map(\.depth).max() ?? 0)
    }

    var isIndexed: Bool {
        switch kind {
        case .list, .tuple, .range: true
        case .view, .generator: false
        }
    }
}

/// Remembers the one use of a generator.
package final class GeneratorState: Equatable {
    var isUsed = false
    package static func == (a: GeneratorState, b: GeneratorState) -> Bool { a === b }
}

/// A dictionary, in the order of insertion.
package struct TemplateMapping {
    /// A value that can be a key. Numbers that are equal are one key, as in Python.
    enum Key: Hashable {
        case none
        case integer(Int)
        case float(Double)
        case string(TemplateText)

        /// Nil for values that cannot be keys.
        init?(_ value: TemplateValue) {
            switch value {
            case .none: self = .none
            case .bool(let value): self = .integer(value ? 1 : 0)
            case .integer(let value): self = .integer(value)
            case .float(let value): self = Int(exactly: value).map(Key.integer) ?? .float(value)
            case .string(let text): self = .string(text)
            default: return nil
            }
        }
    }

    private(set) var keys: [TemplateValue] = []
    private(set) var values: [TemplateValue] = []
    private var places: [Key: Int] = [:]
    private(set) var depth = 1

    var count: Int { keys.count }

    subscript(key: Key) -> TemplateValue? { places[key].map { values[$0] } }

    /// - Returns: false for a key that cannot be one.
    mutating func set(_ key: TemplateValue, _ value: TemplateValue) -> Bool {
        guard let name = Key(key) else { return false }
        depth = max(depth, value.depth + 1)
        if let place = places[name] {
            values[place] = value
        } else {
            places[name] = keys.count
            keys.append(key)
            values.append(value)
        }
        return true
    }
}

/// An object with attributes that can be set: the only value that can change.
package final class Namespace {
    var attributes: [String: TemplateValue] = [:]
    /// Names in the order in which they were first set.
    var names: [String] = []

    func set(_ name: String, _ value: TemplateValue) {
        if attributes.updateValue(value, forKey: name) == nil { names.append(name) }
    }
}

/// The variable `loop` of a loop.
package final class LoopState {
    let elements: [TemplateValue]
    let depth: Int
    var index = 0
    /// The last argument of `loop.changed`.
    var lastSeen: TemplateValue?

    init(_ elements: [TemplateValue], depth: Int) {
        self.elements = elements
        self.depth = depth
    }
}

/// Something that can be called.
package enum Callable {
    /// Number of a macro in the interpreter's table.
    case macro(Int)
    /// A global function.
    case function(String)
    case method(BoundMethod)
}

/// A method together with the value it belongs to.
package final class BoundMethod {
    let receiver: TemplateValue
    let name: String

    init(_ receiver: TemplateValue, _ name: String) {
        self.receiver = receiver
        self.name = name
    }
}

// MARK: - Making input

extension TemplateValue {
    /// A list of values.
    package static func list(_ elements: [TemplateValue]) -> TemplateValue { .list(TemplateList(elements)) }

    /// A dictionary with text as keys.
    package static func mapping(_ entries: [(String, TemplateValue)]) -> TemplateValue {
        var mapping = TemplateMapping()
        for (key, value) in entries { _ = mapping.set(.string(key), value) }
        return .mapping(mapping)
    }
}
