/// The variables of a block, and those around it.
final class Scope {
    private var variables: [String: TemplateValue]
    private let parent: Scope?

    init(_ variables: [String: TemplateValue] = [:], in parent: Scope? = nil) {
        self.variables = variables
        self.parent = parent
    }

    subscript(name: String) -> TemplateValue? {
        var scope: Scope? = self
        while let current = scope {
            if let value = current.variables[name] { return value }
            scope = current.parent
        }
        return nil
    }

    func set(_ name: String, _ value: TemplateValue) { variables[name] = value }
}
