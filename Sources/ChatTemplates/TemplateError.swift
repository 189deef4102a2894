/// A template that cannot be parsed or rendered.
package struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// The source is not a template of the supported language.
        case syntax
        /// The template called `raise_exception`.
        case raised
        /// An operation that Python or Jinja refuses.
        case evaluation
        /// One of ``TemplateLimits``.
        case limit
    }

    package let kind: Kind
    /// Line of the source, from 1.
    package let line: Int
    /// The statement or expression, such as “filter trim”.
    package let construct: String
    package let problem: String

    package var description: String {
        kind == .raised ? problem : "line \(line), \(construct): \(problem)"
    }
}

/// A failure of an operation, which does not know its place in the source yet.
enum Fault: Error {
    case problem(String)
    case raised(String)
    case limit(String)

    func error(line: Int, construct: String) -> TemplateError {
        switch self {
        case .problem(let text): TemplateError(kind: .evaluation, line: line, construct: construct, problem: text)
        case .raised(let text): TemplateError(kind: .raised, line: line, construct: construct, problem: text)
        case .limit(let text): TemplateError(kind: .limit, line: line, construct: construct, problem: text)
        }
    }
}
