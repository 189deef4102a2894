/// A piece of a template: text outside of tags, or a word within one.
struct Token: Sendable {
    enum Form: Sendable, Hashable {
        case text(String)
        case outputStart, outputEnd
        case blockStart, blockEnd
        case name(String)
        case string(String)
        case integer(Int)
        case float(Double)
        case symbol(String)
        case end
    }

    let form: Form
    let line: Int
}

extension Token.Form: CustomStringConvertible {
    /// As an error message writes it.
    var description: String {
        switch self {
        case .text: "text"
        case .outputStart: "“{{”"
        case .outputEnd: "“}}”"
        case .blockStart: "“{%”"
        case .blockEnd: "“%}”"
        case .name(let name): "“\(name)”"
        case .string: "a string"
        case .integer(let value): "“\(value)”"
        case .float(let value): "“\(value)”"
        case .symbol(let symbol): "“\(symbol)”"
        case .end: "the end of the template"
        }
    }
}
