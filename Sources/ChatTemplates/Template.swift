/// A chat template: a program in Jinja, parsed and ready to render conversations.
package struct Template: Sendable {
    private let statements: [Statement]

    /// - Throws: ``TemplateError`` for a source that is not of the supported language.
    package init(_ source: String) throws(TemplateError) { statements = try Parser.statements(source) }

    /// Renders the template with these variables.
    /// - Parameters:
    ///   - date: the time that `strftime_now` tells; without one the function does not exist.
    /// - Throws: ``TemplateError`` where the template refuses the input, fails or exceeds a limit.
    package func render(
        _ variables: [(String, TemplateValue)], date: TemplateDate? = nil, limits: TemplateLimits = TemplateLimits()
    ) throws(TemplateError) -> TemplateText {
        let interpreter = Interpreter(variables: variables, date: date, limits: limits)
        do {
            return try interpreter.render(statements)
        } catch let error as TemplateError {
            throw error
        } catch {
            throw TemplateError(kind: .evaluation, line: 1, construct: "template", problem: "\(error)")
        }
    }
}
