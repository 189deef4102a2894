/// Runs the statements of a template. Expressions are in `Evaluation.swift`.
final class Interpreter {
    /// The rest of a body after a statement: it goes on, or the loop around it ends this iteration or all of them.
    private enum Flow { case next, continueLoop, breakLoop }

    let meter: Meter
    let date: TemplateDate?
    var scope: Scope
    /// Texts that are being written: the innermost `set`, `filter` or macro last.
    private var outputs: [[TemplateScalar]] = [[]]
    private var macros: [(macro: Macro, scope: Scope)] = []
    /// All that were made. They can refer to each other in circles, which `close` opens.
    private var namespaces: [Namespace] = []

    init(variables: [(String, TemplateValue)], date: TemplateDate?, limits: TemplateLimits) {
        meter = Meter(limits)
        self.date = date
        scope = Scope(Dictionary(variables) { $1 })
    }

    func render(_ statements: [Statement]) throws -> TemplateText {
        defer { close() }
        _ = try run(statements)
        return TemplateText(outputs[0])
    }

    private func close() {
        for namespace in namespaces { namespace.attributes = [:] }
        macros = []
    }

    func register(_ namespace: Namespace) { namespaces.append(namespace) }

    // MARK: Output

    private func write(_ text: TemplateText) throws {
        try meter.work(text.count)
        if outputs.count > 1 { try meter.make(text.count) }
        outputs[outputs.count - 1] += text.scalars
        guard outputs[outputs.count - 1].count <= meter.limits.output else {
            throw Fault.limit("more than \(meter.limits.output) characters of output")
        }
    }

    /// The text that a body writes.
    private func captured(_ body: [Statement]) throws -> TemplateText {
        outputs.append([])
        defer { outputs.removeLast() }
        _ = try run(body)
        return TemplateText(outputs[outputs.count - 1])
    }

    /// Runs a body with a scope of its own.
    private func inScope<Result>(_ new: Scope, _ body: () throws -> Result) rethrows -> Result {
        let outer = scope
        scope = new
        defer { scope = outer }
        return try body()
    }

    // MARK: Statements

    private func run(_ statements: [Statement]) throws -> Flow {
        for statement in statements {
            do {
                try meter.enter()
                defer { meter.leave() }
                let flow = try run(statement.form)
                guard flow == .next else { return flow }
            } catch let fault as Fault {
                throw fault.error(line: statement.line, construct: statement.construct)
            }
        }
        return .next
    }

    private func run(_ form: Statement.Form) throws -> Flow {
        switch form {
        case .text(let text): try write(text)
        case .output(let expression): try write(evaluate(expression).text(meter))
        case .conditional(let branches, let otherwise): return try run(branches, otherwise)
        case .loop(let loop): try run(loop)
        case .set(let target, let expression): try assign(evaluate(expression), to: target)
        case .setBlock(let target, let filters, let body): try runSet(target, filters, body)
        case .macro(let macro): scope.set(macro.name, define(macro))
        case .call(let function, let arguments, let macro): try runCall(function, arguments, macro)
        case .filter(let filters, let body): try runFilter(filters, body)
        case .with(let values, let body): return try runWith(values, body)
        case .group(let body): _ = try inScope(Scope(in: scope)) { try run(body) }
        case .breakLoop: return .breakLoop
        case .continueLoop: return .continueLoop
        }
        return .next
    }

    private func run(
        _ branches: [(test: Expression, body: [Statement])], _ otherwise: [Statement]
    ) throws -> Flow {
        for branch in branches where try evaluate(branch.test).isTrue { return try run(branch.body) }
        return try run(otherwise)
    }

    private func runSet(_ target: Target, _ filters: [FilterName], _ body: [Statement]) throws {
        let text = try inScope(Scope(in: scope)) { try captured(body) }
        try assign(apply(filters, to: .string(text)), to: target)
    }

    private func runFilter(_ filters: [FilterName], _ body: [Statement]) throws {
        let text = try inScope(Scope(in: scope)) { try captured(body) }
        try write(apply(filters, to: .string(text)).text(meter))
    }

    private func runCall(_ function: Expression, _ arguments: [Argument], _ macro: Macro) throws {
        var arguments = try evaluate(arguments)
        arguments.named.append((macro.name, define(macro)))
        try write(call(evaluate(function), arguments).text(meter))
    }

    private func runWith(_ values: [(target: Target, value: Expression)], _ body: [Statement]) throws -> Flow {
        let evaluated = try values.map { try evaluate($0.value) }
        return try inScope(Scope(in: scope)) {
            for (value, entry) in zip(evaluated, values) { try assign(value, to: entry.target) }
            return try run(body)
        }
    }

    // MARK: Loops

    private func run(_ loop: Loop) throws {
        let sequence = try evaluate(loop.sequence)
        var elements = try sequence.elements(meter)
        if let filter = loop.filter {
            elements = try elements.filter { element in
                try meter.step()
                return try inScope(Scope(in: scope)) {
                    try assign(element, to: loop.target)
                    return try evaluate(filter).isTrue
                }
            }
        }
        if elements.isEmpty {
            _ = try inScope(Scope(in: scope)) { try run(loop.otherwise) }
            return
        }
        let state = LoopState(elements, depth: sequence.depth + 1)
        _ = try meter.checked(.loop(state))
        for (index, element) in elements.enumerated() {
            try meter.step()
            state.index = index
            let flow = try inScope(Scope(["loop": .loop(state)], in: scope)) {
                try assign(element, to: loop.target)
                return try run(loop.body)
            }
            if flow == .breakLoop { return }
        }
    }

    private func assign(_ value: TemplateValue, to target: Target) throws {
        switch target {
        case .name(let name): scope.set(name, value)
        case .attribute(let name, let attribute):
            guard case .namespace(let namespace) = scope[name] else {
                throw Fault.problem("“\(name)” is not a namespace; only a namespace's attributes can be set")
            }
            try meter.make(1)
            namespace.set(attribute, value)
        case .tuple(let targets):
            let elements = try value.elements(meter)
            guard elements.count == targets.count else {
                throw Fault.problem("\(elements.count) values for \(targets.count) names")
            }
            for (element, target) in zip(elements, targets) { try assign(element, to: target) }
        }
    }

    // MARK: Macros

    private func define(_ macro: Macro) -> TemplateValue {
        macros.append((macro, scope))
        return .callable(.macro(macros.count - 1))
    }

    func callMacro(_ number: Int, _ arguments: Arguments) throws -> TemplateValue {
        let (macro, definition) = macros[number]
        var arguments = arguments
        let variables = Scope(in: definition)
        if let place = arguments.named.firstIndex(where: { $0.name == "caller" }),
            !macro.parameters.contains(where: { $0.name == "caller" })
        {
            variables.set("caller", arguments.named.remove(at: place).value)
        }
        guard arguments.positional.count <= macro.parameters.count else {
            throw Fault.problem("macro \(macro.name) takes at most \(macro.parameters.count) arguments")
        }
        if let unknown = arguments.named.first(where: { given in
            !macro.parameters.contains { $0.name == given.name }
        }) {
            throw Fault.problem("macro \(macro.name) takes no argument “\(unknown.name)”")
        }
        return try inScope(variables) {
            for (index, parameter) in macro.parameters.enumerated() {
                let named = arguments.named.last { $0.name == parameter.name }?.value
                if index < arguments.positional.count {
                    guard named == nil else { throw Fault.problem("argument “\(parameter.name)” is given twice") }
                    variables.set(parameter.name, arguments.positional[index])
                } else {
                    let fallback = try named ?? parameter.fallback.map(evaluate)
                    variables.set(parameter.name, fallback ?? .undefined(parameter.name))
                }
            }
            return .string(try captured(macro.body))
        }
    }
}

extension Statement {
    /// The kind of the statement, as error messages name it.
    var construct: String {
        switch form {
        case .text: "text"
        case .output: "output"
        case .conditional: "if"
        case .loop: "for"
        case .set, .setBlock: "set"
        case .macro: "macro"
        case .call: "call"
        case .filter: "filter"
        case .with: "with"
        case .group: "generation"
        case .breakLoop: "break"
        case .continueLoop: "continue"
        }
    }
}
