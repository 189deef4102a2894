/// A literal value of a template's source.
enum Literal: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case float(Double)
    case string(TemplateText)
}

/// An expression, with the line it begins on.
struct Expression: Sendable {
    indirect enum Form: Sendable {
        case literal(Literal)
        case name(String)
        case list([Expression])
        case tuple([Expression])
        case mapping([(key: Expression, value: Expression)])
        case attribute(Expression, String)
        case item(Expression, Expression)
        case slice(Expression, start: Expression?, stop: Expression?, step: Expression?)
        case call(Expression, [Argument])
        case filter(Expression, FilterName)
        case test(Expression, name: String, [Argument])
        case not(Expression)
        case negative(Expression)
        case positive(Expression)
        /// Operators of one rank, from left to right.
        case arithmetic(Expression, [(operation: ArithmeticOperator, operand: Expression)])
        case concatenation([Expression])
        case comparison(Expression, [(operation: ComparisonOperator, operand: Expression)])
        case and([Expression])
        case or([Expression])
        case conditional(Expression, test: Expression, otherwise: Expression?)
    }

    let form: Form
    let line: Int
    /// Levels of expressions in it, itself included.
    let height: Int
}

/// A filter and its arguments, without what it is applied to.
struct FilterName: Sendable {
    let name: String
    let arguments: [Argument]
    let line: Int
}

/// An argument of a call.
struct Argument: Sendable {
    enum Form: Sendable, Equatable {
        case positional
        case named(String)
        /// `*list` and `**dictionary`.
        case spreadList, spreadMapping
    }

    let form: Form
    let value: Expression
}

enum ArithmeticOperator: String, Sendable {
    case add = "+", subtract = "-", multiply = "*", divide = "/", floorDivide = "//", modulo = "%", power = "**"
}

enum ComparisonOperator: String, Sendable {
    case equal = "==", notEqual = "!=", less = "<", lessOrEqual = "<=", greater = ">", greaterOrEqual = ">="
    case isIn = "in", isNotIn = "not in"
}

/// The place an assignment writes to.
indirect enum Target: Sendable {
    case name(String)
    case attribute(of: String, String)
    case tuple([Target])
}

/// A statement, with the line it begins on.
struct Statement: Sendable {
    indirect enum Form: Sendable {
        case text(TemplateText)
        case output(Expression)
        case conditional([(test: Expression, body: [Statement])], otherwise: [Statement])
        case loop(Loop)
        case set(Target, Expression)
        case setBlock(Target, [FilterName], [Statement])
        case macro(Macro)
        case call(Expression, [Argument], Macro)
        case filter([FilterName], [Statement])
        case with([(target: Target, value: Expression)], [Statement])
        case group([Statement])
        case breakLoop
        case continueLoop
    }

    let form: Form
    let line: Int
}

struct Loop: Sendable {
    let target: Target
    let sequence: Expression
    let filter: Expression?
    let body: [Statement]
    let otherwise: [Statement]
}

struct Macro: Sendable {
    let name: String
    let parameters: [(name: String, fallback: Expression?)]
    let body: [Statement]
}

extension Expression {
    /// The kind of the expression, as error messages name it.
    var construct: String {
        switch form {
        case .literal: "literal"
        case .name(let name): "name \(name)"
        case .list: "list"
        case .tuple: "tuple"
        case .mapping: "dictionary"
        case .attribute(_, let name): "attribute \(name)"
        case .item: "subscript"
        case .slice: "slice"
        case .call(let function, _):
            switch function.form {
            case .name(let name), .attribute(_, let name): "call of \(name)"
            default: "call"
            }
        case .filter(_, let filter): "filter \(filter.name)"
        case .test(_, let name, _): "test \(name)"
        case .not: "not"
        case .negative, .positive: "sign"
        case .arithmetic(_, let operands): "operator \(operands.first?.operation.rawValue ?? "")"
        case .concatenation: "operator ~"
        case .comparison(_, let operands): "operator \(operands.first?.operation.rawValue ?? "")"
        case .and: "and"
        case .or: "or"
        case .conditional: "if expression"
        }
    }
}
