/// The evaluated arguments of a call.
struct Arguments {
    var positional: [TemplateValue] = []
    var named: [(name: String, value: TemplateValue)] = []

    /// The arguments for these parameters, in their order; nil for those not given.
    /// - Throws: for arguments that are none of them, are given twice, or are missing among the first `required`.
    func bind(_ names: String..., required: Int = 0) throws -> [TemplateValue?] {
        guard positional.count <= names.count else {
            throw Fault.problem("takes at most \(names.count) arguments, not \(positional.count)")
        }
        var bound: [TemplateValue?] = positional
        bound += Array(repeating: nil, count: names.count - positional.count)
        for (name, value) in named {
            guard let place = names.firstIndex(of: name) else { throw Fault.problem("takes no argument “\(name)”") }
            guard bound[place] == nil else { throw Fault.problem("argument “\(name)” is given twice") }
            bound[place] = value
        }
        if let missing = bound.prefix(required).firstIndex(where: { $0 == nil }) {
            throw Fault.problem("argument “\(names[missing])” is missing")
        }
        return bound
    }

    /// The first argument and the others.
    func splitFirst() -> (first: TemplateValue?, rest: Arguments) {
        (positional.first, Arguments(positional: Array(positional.dropFirst()), named: named))
    }
}

extension TemplateValue? {
    /// - Throws: for a value that is no string.
    func text(_ fallback: @autoclosure () -> TemplateText = "") throws -> TemplateText {
        switch self {
        case nil: return fallback()
        case .string(let text): return text
        case .some(let value): throw Fault.problem("a string is needed, not \(value.kind)")
        }
    }

    /// Nil for none.
    func textIfPresent() throws -> TemplateText? {
        if self?.isNone ?? true { nil } else { try text() }
    }

    /// - Throws: for a value that is no integer.
    func integer(_ fallback: Int) throws -> Int {
        guard let value = self else { return fallback }
        guard let number = value.integer else { throw Fault.problem("an integer is needed, not \(value.kind)") }
        return number
    }

    func isTrue(_ fallback: Bool) -> Bool { self?.isTrue ?? fallback }
}
