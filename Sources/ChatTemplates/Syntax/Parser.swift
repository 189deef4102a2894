/// Reads the statements of a template. Expressions are in `ExpressionParser.swift`.
struct Parser {
    private let tokens: [Token]
    private var position = 0
    private var depth = 0

    static func statements(_ source: String) throws(TemplateError) -> [Statement] {
        var parser = Parser(tokens: try Lexer.tokens(source))
        let statements = try parser.body(until: [])
        return statements
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    // MARK: Tokens

    /// The token that is next; the last one, `end`, stays.
    var current: Token { tokens[position] }
    var following: Token { tokens[min(position + 1, tokens.count - 1)] }

    mutating func advance() { position = min(position + 1, tokens.count - 1) }

    mutating func skip(_ form: Token.Form) -> Bool {
        guard current.form == form else { return false }
        advance()
        return true
    }

    mutating func skip(symbol: String) -> Bool { skip(.symbol(symbol)) }
    mutating func skip(word: String) -> Bool { skip(.name(word)) }

    mutating func expect(_ form: Token.Form, in construct: String) throws(TemplateError) {
        guard skip(form) else { throw unexpected(construct, expected: form.description) }
    }

    mutating func name(in construct: String) throws(TemplateError) -> String {
        guard case .name(let name) = current.form else { throw unexpected(construct, expected: "a name") }
        advance()
        return name
    }

    func unexpected(_ construct: String, expected: String) -> TemplateError {
        syntax(construct, "expected \(expected), found \(current.form)")
    }

    func syntax(_ construct: String, _ problem: String) -> TemplateError {
        TemplateError(kind: .syntax, line: current.line, construct: construct, problem: problem)
    }

    /// Runs a part of the grammar that may contain itself. Bounds how deep it does.
    mutating func nested<Result>(
        _ parse: (inout Parser) throws(TemplateError) -> Result
    ) throws(TemplateError) -> Result {
        depth += 1
        defer { depth -= 1 }
        guard depth <= TemplateLimits.nesting else { throw tooDeep() }
        return try parse(&self)
    }

    func tooDeep() -> TemplateError {
        TemplateError(
            kind: .limit, line: current.line, construct: "source",
            problem: "nested more than \(TemplateLimits.nesting) deep")
    }

    // MARK: Bodies

    /// The statements up to a block that begins with one of the words, which is not read; up to the end without any.
    mutating func body(until words: [String]) throws(TemplateError) -> [Statement] {
        let start = current.line
        var statements: [Statement] = []
        while true {
            let line = current.line
            switch current.form {
            case .text(let text):
                advance()
                statements.append(Statement(form: .text(TemplateText(text)), line: line))
            case .outputStart:
                advance()
                let value = try tuple()
                try expect(.outputEnd, in: "output")
                statements.append(Statement(form: .output(value), line: line))
            case .blockStart:
                if case .name(let word) = following.form, words.contains(word) {
                    advance()
                    return statements
                }
                advance()
                let form = try nested { parser throws(TemplateError) in try parser.statement() }
                try expect(.blockEnd, in: "statement")
                statements.append(Statement(form: form, line: line))
            default:
                guard words.isEmpty else {
                    throw TemplateError(
                        kind: .syntax, line: start, construct: "statement",
                        problem: "“{% \(words.last ?? "") %}” is missing")
                }
                return statements
            }
        }
    }

    /// The body of a statement, whose tag ends here, and the word that ends it.
    private mutating func block(until words: String...) throws(TemplateError) -> (body: [Statement], word: String) {
        _ = skip(symbol: ":")
        try expect(.blockEnd, in: "statement")
        let body = try body(until: words)
        return (body, try name(in: "statement"))
    }

    private mutating func statement() throws(TemplateError) -> Statement.Form {
        let word = try name(in: "statement")
        switch word {
        case "if": return try conditional()
        case "for": return try loop()
        case "set": return try assignment()
        case "macro": return try macro()
        case "call": return try callBlock()
        case "filter":
            let filters = try filterNames(isFirstWritten: false)
            return .filter(filters, try block(until: "endfilter").body)
        case "with": return try with()
        case "generation": return .group(try block(until: "endgeneration").body)
        case "break": return .breakLoop
        case "continue": return .continueLoop
        default:
            throw TemplateError(
                kind: .syntax, line: current.line, construct: "statement", problem: "“\(word)” is not supported")
        }
    }

    // MARK: Statements

    private mutating func conditional() throws(TemplateError) -> Statement.Form {
        var branches: [(test: Expression, body: [Statement])] = []
        while true {
            let test = try tuple(withConditional: false)
            let (body, word) = try block(until: "elif", "else", "endif")
            branches.append((test, body))
            if word == "elif" { continue }
            return .conditional(branches, otherwise: word == "else" ? try block(until: "endif").body : [])
        }
    }

    private mutating func loop() throws(TemplateError) -> Statement.Form {
        let target = try target(in: "for", withAttribute: false)
        guard skip(word: "in") else { throw unexpected("for", expected: "“in”") }
        let sequence = try tuple(withConditional: false, until: "recursive")
        let filter = skip(word: "if") ? try expression() : nil
        if current.form == .name("recursive") { throw syntax("for", "recursive loops are not supported") }
        let (body, word) = try block(until: "endfor", "else")
        let otherwise = word == "else" ? try block(until: "endfor").body : []
        return .loop(Loop(target: target, sequence: sequence, filter: filter, body: body, otherwise: otherwise))
    }

    private mutating func assignment() throws(TemplateError) -> Statement.Form {
        let target = try target(in: "set", withAttribute: true)
        if skip(symbol: "=") { return .set(target, try tuple()) }
        let filters = try filterNames(isFirstWritten: true)
        return .setBlock(target, filters, try block(until: "endset").body)
    }

    private mutating func macro() throws(TemplateError) -> Statement.Form {
        let name = try name(in: "macro")
        let parameters = try parameters()
        return .macro(Macro(name: name, parameters: parameters, body: try block(until: "endmacro").body))
    }

    private mutating func callBlock() throws(TemplateError) -> Statement.Form {
        let parameters = current.form == .symbol("(") ? try parameters() : []
        guard case .call(let function, let arguments) = try expression().form else {
            throw syntax("call", "expected a call of a macro")
        }
        let body = try block(until: "endcall").body
        return .call(function, arguments, Macro(name: "caller", parameters: parameters, body: body))
    }

    private mutating func parameters() throws(TemplateError) -> [(name: String, fallback: Expression?)] {
        var parameters: [(name: String, fallback: Expression?)] = []
        try expect(.symbol("("), in: "macro")
        while current.form != .symbol(")") {
            if !parameters.isEmpty { try expect(.symbol(","), in: "macro") }
            let name = try name(in: "macro")
            let fallback = skip(symbol: "=") ? try expression() : nil
            if fallback == nil, parameters.last?.fallback != nil {
                throw syntax("macro", "parameter \(name) without a default follows one with a default")
            }
            parameters.append((name, fallback))
        }
        advance()
        return parameters
    }

    private mutating func with() throws(TemplateError) -> Statement.Form {
        var values: [(target: Target, value: Expression)] = []
        while current.form != .blockEnd {
            if !values.isEmpty { try expect(.symbol(","), in: "with") }
            let target = try singleTarget(in: "with", withAttribute: false)
            try expect(.symbol("="), in: "with")
            values.append((target, try expression()))
        }
        return .with(values, try block(until: "endwith").body)
    }

    // MARK: Targets

    private mutating func target(in construct: String, withAttribute: Bool) throws(TemplateError) -> Target {
        let first = try singleTarget(in: construct, withAttribute: withAttribute)
        guard current.form == .symbol(",") else { return first }
        var targets = [first]
        while skip(symbol: ",") {
            // A comma may end the list.
            if current.form == .name("in") || current.form == .symbol("=") { break }
            targets.append(try singleTarget(in: construct, withAttribute: withAttribute))
        }
        return .tuple(targets)
    }

    private mutating func singleTarget(in construct: String, withAttribute: Bool) throws(TemplateError) -> Target {
        if skip(symbol: "(") {
            let inner = try nested { parser throws(TemplateError) in
                try parser.target(in: construct, withAttribute: withAttribute)
            }
            try expect(.symbol(")"), in: construct)
            return inner
        }
        let name = try name(in: construct)
        if ["true", "false", "none", "True", "False", "None"].contains(name) {
            throw syntax(construct, "“\(name)” cannot be assigned to")
        }
        guard withAttribute, skip(symbol: ".") else { return .name(name) }
        return .attribute(of: name, try self.name(in: construct))
    }
}
