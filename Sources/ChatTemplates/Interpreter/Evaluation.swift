/// Evaluates expressions. Each form has a function of its own, which keeps the stack small where they are nested.
extension Interpreter {
    func evaluate(_ expression: Expression) throws -> TemplateValue {
        do {
            try meter.enter()
            defer { meter.leave() }
            return try evaluate(expression.form)
        } catch let fault as Fault {
            throw fault.error(line: expression.line, construct: expression.construct)
        }
    }

    private func evaluate(_ form: Expression.Form) throws -> TemplateValue {
        switch form {
        case .literal(let literal): TemplateValue(literal)
        case .name(let name): variable(name)
        case .list(let elements): try list(elements, .list)
        case .tuple(let elements): try list(elements, .tuple)
        case .mapping(let entries): try mapping(entries)
        case .attribute(let value, let name): try evaluate(value).attribute(name)
        case .item(let value, let index): try item(value, index)
        case .slice(let value, let start, let stop, let step): try slice(value, start, stop, step)
        case .call(let function, let arguments): try call(evaluate(function), evaluate(arguments))
        case .filter(let value, let filter): try apply(filter, to: evaluate(value))
        case .test(let value, let name, let arguments): try test(value, name, arguments)
        case .not(let value): .bool(try !evaluate(value).isTrue)
        case .negative(let value): try evaluate(value).negated()
        case .positive(let value): try positive(value)
        case .arithmetic(let first, let operands): try arithmetic(first, operands)
        case .concatenation(let operands): try concatenation(operands)
        case .comparison(let first, let operands): try comparison(first, operands)
        case .and(let operands): try firstOperand(of: operands, thatIs: false)
        case .or(let operands): try firstOperand(of: operands, thatIs: true)
        case .conditional(let value, let test, let otherwise): try conditional(value, test, otherwise)
        }
    }

    // MARK: Values

    private func variable(_ name: String) -> TemplateValue {
        scope[name] ?? (Functions.names.contains(name) ? .callable(.function(name)) : .undefined(name))
    }

    private func list(_ elements: [Expression], _ kind: TemplateList.Kind) throws -> TemplateValue {
        try meter.list(elements.map(evaluate), kind)
    }

    private func mapping(_ entries: [(key: Expression, value: Expression)]) throws -> TemplateValue {
        var mapping = TemplateMapping()
        try meter.make(entries.count)
        for entry in entries {
            let key = try evaluate(entry.key)
            guard mapping.set(key, try evaluate(entry.value)) else {
                throw Fault.problem("\(key.kind) cannot be a key")
            }
        }
        return try meter.checked(.mapping(mapping))
    }

    private func item(_ value: Expression, _ index: Expression) throws -> TemplateValue {
        let value = try evaluate(value)
        return try value.item(evaluate(index))
    }

    private func slice(
        _ value: Expression, _ start: Expression?, _ stop: Expression?, _ step: Expression?
    ) throws -> TemplateValue {
        let value = try evaluate(value)
        return try value.slice(
            start: start.map(evaluate), stop: stop.map(evaluate), step: step.map(evaluate), meter)
    }

    // MARK: Operators

    private func positive(_ value: Expression) throws -> TemplateValue {
        let value = try evaluate(value)
        if case .float = value { return value }
        guard let number = value.integer else { throw Fault.problem("\(value.kind) has no sign") }
        return .integer(number)
    }

    private func arithmetic(
        _ first: Expression, _ operands: [(operation: ArithmeticOperator, operand: Expression)]
    ) throws -> TemplateValue {
        var value = try evaluate(first)
        for (operation, operand) in operands { value = try value.apply(operation, evaluate(operand), meter) }
        return value
    }

    private func concatenation(_ operands: [Expression]) throws -> TemplateValue {
        var scalars: [TemplateScalar] = []
        for operand in operands {
            let text = try evaluate(operand).text(meter)
            try meter.make(text.count)
            scalars += text.scalars
        }
        return .string(TemplateText(scalars))
    }

    private func comparison(
        _ first: Expression, _ operands: [(operation: ComparisonOperator, operand: Expression)]
    ) throws -> TemplateValue {
        var left = try evaluate(first)
        for (operation, operand) in operands {
            let right = try evaluate(operand)
            guard try left.compare(operation, right, meter) else { return .bool(false) }
            left = right
        }
        return .bool(true)
    }

    private func firstOperand(of operands: [Expression], thatIs truth: Bool) throws -> TemplateValue {
        for operand in operands.dropLast() {
            let value = try evaluate(operand)
            if value.isTrue == truth { return value }
        }
        return try evaluate(operands[operands.count - 1])
    }

    private func conditional(
        _ value: Expression, _ test: Expression, _ otherwise: Expression?
    ) throws -> TemplateValue {
        if try evaluate(test).isTrue { return try evaluate(value) }
        return try otherwise.map(evaluate) ?? .undefined("value of an if expression without else")
    }

    // MARK: Calls, filters and tests

    func evaluate(_ arguments: [Argument]) throws -> Arguments {
        var result = Arguments()
        func add(_ name: String, _ value: TemplateValue) throws {
            guard !result.named.contains(where: { $0.name == name }) else {
                throw Fault.problem("argument “\(name)” is given twice")
            }
            result.named.append((name, value))
        }
        for argument in arguments {
            let value = try evaluate(argument.value)
            switch argument.form {
            case .positional: result.positional.append(value)
            case .named(let name): try add(name, value)
            case .spreadList:
                let elements = try value.elements(meter)
                try meter.make(elements.count)
                result.positional += elements
            case .spreadMapping:
                guard case .mapping(let mapping) = value else { throw Fault.problem("\(value.kind) is no dictionary") }
                for (key, value) in zip(mapping.keys, mapping.values) {
                    try meter.step(result.named.count)
                    try add(Optional(key).text().string, value)
                }
            }
        }
        return result
    }

    func call(_ function: TemplateValue, _ arguments: Arguments) throws -> TemplateValue {
        switch function {
        case .callable(.macro(let number)): try callMacro(number, arguments)
        case .callable(.function(let name)): try Functions.call(name, arguments, self)
        case .callable(.method(let method)): try Methods.call(method, arguments, meter)
        default: throw Fault.problem("\(function.kind) cannot be called")
        }
    }

    func apply(_ filters: [FilterName], to value: TemplateValue) throws -> TemplateValue {
        var value = value
        for filter in filters {
            do {
                value = try apply(filter, to: value)
            } catch let fault as Fault {
                throw fault.error(line: filter.line, construct: "filter \(filter.name)")
            }
        }
        return value
    }

    private func apply(_ filter: FilterName, to value: TemplateValue) throws -> TemplateValue {
        try Filters.apply(filter.name, to: value, evaluate(filter.arguments), self)
    }

    private func test(_ value: Expression, _ name: String, _ arguments: [Argument]) throws -> TemplateValue {
        let value = try evaluate(value)
        return .bool(try ValueTests.apply(name, to: value, evaluate(arguments), meter))
    }
}
