/// Expressions, one function per rank of operators, as in Jinja's own grammar.
extension Parser {
    /// An expression; several with commas between them are a tuple.
    mutating func tuple(withConditional: Bool = true, until word: String? = nil) throws(TemplateError) -> Expression {
        let line = current.line
        let first = try withConditional ? expression() : or()
        guard current.form == .symbol(",") else { return first }
        var elements = [first]
        while skip(symbol: ",") {
            if [.outputEnd, .blockEnd, .symbol(")")].contains(current.form) || current.form == word.map(Token.Form.name)
            {
                break
            }
            elements.append(try withConditional ? expression() : or())
        }
        return try make(.tuple(elements), line, elements)
    }

    mutating func expression() throws(TemplateError) -> Expression {
        try nested { parser throws(TemplateError) in try parser.conditionalExpression() }
    }

    /// - Throws: where expressions are nested too deep: later work on them is recursive.
    private func make(
        _ form: Expression.Form, _ line: Int, _ children: [Expression]
    ) throws(TemplateError) -> Expression {
        let height = 1 + (children.map(\.height).max() ?? 0)
        guard height <= TemplateLimits.nesting else { throw tooDeep() }
        return Expression(form: form, line: line, height: height)
    }

    private mutating func conditionalExpression() throws(TemplateError) -> Expression {
        var value = try or()
        while current.form == .name("if") {
            let line = current.line
            advance()
            let test = try or()
            let otherwise = skip(word: "else") ? try expression() : nil
            value = try make(
                .conditional(value, test: test, otherwise: otherwise), line,
                [value, test] + (otherwise.map { [$0] } ?? []))
        }
        return value
    }

    // MARK: Logic and comparison

    private mutating func or() throws(TemplateError) -> Expression {
        try chain({ parser throws(TemplateError) in try parser.and() }, .name("or"), Expression.Form.or)
    }

    private mutating func and() throws(TemplateError) -> Expression {
        try chain({ parser throws(TemplateError) in try parser.not() }, .name("and"), Expression.Form.and)
    }

    /// Operands with the same word or symbol between them.
    private mutating func chain(
        _ operand: (inout Parser) throws(TemplateError) -> Expression, _ separator: Token.Form,
        _ form: ([Expression]) -> Expression.Form
    ) throws(TemplateError) -> Expression {
        let line = current.line
        var operands = [try operand(&self)]
        while skip(separator) { operands.append(try operand(&self)) }
        return operands.count == 1 ? operands[0] : try make(form(operands), line, operands)
    }

    private mutating func not() throws(TemplateError) -> Expression {
        let line = current.line
        guard skip(word: "not") else { return try comparison() }
        let operand = try nested { parser throws(TemplateError) in try parser.not() }
        return try make(.not(operand), line, [operand])
    }

    private mutating func comparison() throws(TemplateError) -> Expression {
        let line = current.line
        let first = try sum()
        var operands: [(operation: ComparisonOperator, operand: Expression)] = []
        while let operation = comparisonOperator() { operands.append((operation, try sum())) }
        if operands.isEmpty { return first }
        return try make(.comparison(first, operands), line, [first] + operands.map(\.operand))
    }

    private mutating func comparisonOperator() -> ComparisonOperator? {
        switch current.form {
        case .symbol(let symbol):
            guard let operation = ComparisonOperator(rawValue: symbol) else { return nil }
            advance()
            return operation
        case .name("in"):
            advance()
            return .isIn
        case .name("not") where following.form == .name("in"):
            advance()
            advance()
            return .isNotIn
        default: return nil
        }
    }

    // MARK: Arithmetic

    private mutating func sum() throws(TemplateError) -> Expression {
        try arithmetic([.add, .subtract]) { parser throws(TemplateError) in try parser.concatenation() }
    }

    private mutating func concatenation() throws(TemplateError) -> Expression {
        try chain(
            { parser throws(TemplateError) in try parser.product() }, .symbol("~"), Expression.Form.concatenation)
    }

    private mutating func product() throws(TemplateError) -> Expression {
        try arithmetic([.multiply, .divide, .floorDivide, .modulo]) { parser throws(TemplateError) in
            try parser.arithmetic([.power]) { parser throws(TemplateError) in try parser.unary() }
        }
    }

    private mutating func arithmetic(
        _ operators: [ArithmeticOperator], _ operand: (inout Parser) throws(TemplateError) -> Expression
    ) throws(TemplateError) -> Expression {
        let line = current.line
        let first = try operand(&self)
        var operands: [(operation: ArithmeticOperator, operand: Expression)] = []
        while case .symbol(let symbol) = current.form, let operation = ArithmeticOperator(rawValue: symbol),
            operators.contains(operation)
        {
            advance()
            operands.append((operation, try operand(&self)))
        }
        if operands.isEmpty { return first }
        return try make(.arithmetic(first, operands), line, [first] + operands.map(\.operand))
    }

    private mutating func unary(withFilters: Bool = true) throws(TemplateError) -> Expression {
        let line = current.line
        var value: Expression
        if current.form == .symbol("-") || current.form == .symbol("+") {
            let isNegative = current.form == .symbol("-")
            advance()
            let operand = try nested { parser throws(TemplateError) in try parser.unary(withFilters: false) }
            value = try make(isNegative ? .negative(operand) : .positive(operand), line, [operand])
        } else {
            value = try primary()
        }
        value = try postfix(value)
        return withFilters ? try filtersAndTests(value) : value
    }

    // MARK: Values

    private mutating func primary() throws(TemplateError) -> Expression {
        let (form, line) = (current.form, current.line)
        switch form {
        case .name(let name):
            advance()
            switch name {
            case "true", "True": return try make(.literal(.bool(true)), line, [])
            case "false", "False": return try make(.literal(.bool(false)), line, [])
            case "none", "None": return try make(.literal(.none), line, [])
            default: return try make(.name(name), line, [])
            }
        case .string:
            var text = ""
            // Neighboring literals are one.
            while case .string(let part) = current.form {
                text += part
                advance()
            }
            return try make(.literal(.string(TemplateText(text))), line, [])
        case .integer(let value):
            advance()
            return try make(.literal(.integer(value)), line, [])
        case .float(let value):
            advance()
            return try make(.literal(.float(value)), line, [])
        case .symbol("("):
            advance()
            if skip(symbol: ")") { return try make(.tuple([]), line, []) }
            let value = try tuple()
            try expect(.symbol(")"), in: "parentheses")
            return value
        case .symbol("["): return try list()
        case .symbol("{"): return try mapping()
        default: throw unexpected("expression", expected: "a value")
        }
    }

    private mutating func list() throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        var elements: [Expression] = []
        while current.form != .symbol("]") {
            if !elements.isEmpty {
                try expect(.symbol(","), in: "list")
                if current.form == .symbol("]") { break }
            }
            elements.append(try expression())
        }
        advance()
        return try make(.list(elements), line, elements)
    }

    private mutating func mapping() throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        var entries: [(key: Expression, value: Expression)] = []
        while current.form != .symbol("}") {
            if !entries.isEmpty {
                try expect(.symbol(","), in: "dictionary")
                if current.form == .symbol("}") { break }
            }
            let key = try expression()
            try expect(.symbol(":"), in: "dictionary")
            entries.append((key, try expression()))
        }
        advance()
        return try make(.mapping(entries), line, entries.flatMap { [$0.key, $0.value] })
    }

    private mutating func postfix(_ first: Expression) throws(TemplateError) -> Expression {
        var value = first
        while true {
            switch current.form {
            case .symbol("."): value = try attribute(of: value)
            case .symbol("["): value = try item(of: value)
            case .symbol("("): value = try call(of: value)
            default: return value
            }
        }
    }

    private mutating func attribute(of value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        if case .integer(let index) = current.form {
            let index = try make(.literal(.integer(index)), line, [])
            advance()
            return try make(.item(value, index), line, [value])
        }
        return try make(.attribute(value, try name(in: "attribute")), line, [value])
    }

    private mutating func item(of value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        /// Start, stop and step of a slice, or one index.
        var parts: [Expression?] = [nil]
        while current.form != .symbol("]") {
            if skip(symbol: ":") {
                parts.append(nil)
                guard parts.count <= 3 else { throw syntax("slice", "more than three parts") }
            } else {
                guard parts[parts.count - 1] == nil else { throw unexpected("subscript", expected: "“]”") }
                parts[parts.count - 1] = try expression()
            }
        }
        advance()
        let children = [value] + parts.compactMap(\.self)
        if parts.count == 1 {
            // Nothing between the brackets is an empty tuple, which is no index of anything.
            let empty = Expression(form: .tuple([]), line: line, height: 1)
            return try make(.item(value, parts[0] ?? empty), line, children)
        }
        let step = parts.count == 3 ? parts[2] : nil
        return try make(.slice(value, start: parts[0], stop: parts[1], step: step), line, children)
    }

    // MARK: Calls, filters and tests

    private mutating func call(of value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        let arguments = try arguments()
        return try make(.call(value, arguments), line, [value] + arguments.map(\.value))
    }

    private mutating func arguments() throws(TemplateError) -> [Argument] {
        try expect(.symbol("("), in: "call")
        var arguments: [Argument] = []
        while current.form != .symbol(")") {
            if !arguments.isEmpty {
                try expect(.symbol(","), in: "call")
                if current.form == .symbol(")") { break }
            }
            let form = argumentForm()
            if form == .positional || form == .spreadList, let last = arguments.last, last.form != .positional {
                throw syntax("call", "an argument without a name follows one with a name")
            }
            arguments.append(Argument(form: form, value: try expression()))
        }
        advance()
        return arguments
    }

    /// The kind of the argument that comes next, moved over all but its value.
    private mutating func argumentForm() -> Argument.Form {
        if skip(symbol: "*") { return .spreadList }
        if skip(symbol: "**") { return .spreadMapping }
        guard case .name(let name) = current.form, following.form == .symbol("=") else { return .positional }
        advance()
        advance()
        return .named(name)
    }

    private mutating func filtersAndTests(_ first: Expression) throws(TemplateError) -> Expression {
        var value = first
        while true {
            switch current.form {
            case .symbol("|"):
                advance()
                let filter = try filterName()
                value = try make(.filter(value, filter), filter.line, [value] + filter.arguments.map(\.value))
            case .name("is"): value = try test(value)
            // Calls are valid both behind a value and behind filters.
            case .symbol("("): value = try call(of: value)
            default: return value
            }
        }
    }

    private mutating func filterName() throws(TemplateError) -> FilterName {
        let line = current.line
        let name = try dottedName(in: "filter")
        let arguments = current.form == .symbol("(") ? try arguments() : []
        return FilterName(name: name, arguments: arguments, line: line)
    }

    /// The filters of a block, the first one behind a bar or not.
    mutating func filterNames(isFirstWritten: Bool) throws(TemplateError) -> [FilterName] {
        var filters: [FilterName] = []
        while (filters.isEmpty && !isFirstWritten) || skip(symbol: "|") { filters.append(try filterName()) }
        return filters
    }

    private mutating func dottedName(in construct: String) throws(TemplateError) -> String {
        var name = try name(in: construct)
        while skip(symbol: ".") { name += "." + (try self.name(in: construct)) }
        return name
    }

    private mutating func test(_ value: Expression) throws(TemplateError) -> Expression {
        let line = current.line
        advance()
        let isNegated = skip(word: "not")
        let name = try dottedName(in: "test")
        let arguments: [Argument]
        if current.form == .symbol("(") {
            arguments = try self.arguments()
        } else if current.form == .name("is") {
            throw syntax("test", "a test cannot follow another one")
        } else if startsTestArgument {
            arguments = [Argument(form: .positional, value: try postfix(primary()))]
        } else {
            arguments = []
        }
        let test = try make(.test(value, name: name, arguments), line, [value] + arguments.map(\.value))
        return isNegated ? try make(.not(test), line, [test]) : test
    }

    /// Something that can only be the argument of a test without parentheses comes next.
    private var startsTestArgument: Bool {
        switch current.form {
        case .string, .integer, .float, .symbol("["), .symbol("{"): true
        case .name(let name): !["else", "or", "and", "is", "if", "recursive"].contains(name)
        default: false
        }
    }
}
