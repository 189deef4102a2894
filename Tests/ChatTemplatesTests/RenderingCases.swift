import Foundation
import JSON

@testable import ChatTemplates

/// A template with the variables it is given, and the text or error that Jinja2 makes of them.
struct RenderingCase {
    enum Expected {
        case text(String)
        /// The message, where the template itself raised the error.
        case error(String?)
    }

    let name: String
    let variables: [(String, TemplateValue)]
    let expected: Expected

    init(_ value: TemplateValue) {
        self.init(name: value["case"].text, variables: value["variables"].entries, expected: value["expected"])
    }

    init(name: String, variables: [(String, TemplateValue)], expected: TemplateValue) {
        self.name = name
        self.variables = variables
        if case .mapping = expected {
            self.expected = .error(expected["kind"].text == "raise_exception" ? expected["error"].text : nil)
        } else {
            self.expected = .text(expected.text)
        }
    }

    static let date = TemplateDate(year: 2026, month: 1, day: 15, hour: 12)

    /// Nil where the rendering is as expected, else both.
    func difference(_ template: () throws -> Template) -> String? {
        let found = Result { try template().render(variables, date: Self.date).string }
        switch (expected, found) {
        case (.text(let text), .success(let rendered)):
            if rendered.unicodeScalars.elementsEqual(text.unicodeScalars) { return nil }
            return "\(name): \(rendered.debugDescription), expected \(text.debugDescription)"
        case (.error(let message), .failure(let error as TemplateError)):
            let isRaised = error.kind == .raised
            if let message { return isRaised && error.problem == message ? nil : "\(name): \(error), not \(message)" }
            return isRaised || error.kind == .limit ? "\(name): \(error)" : nil
        case (.error(let message), .success(let rendered)):
            return "\(name): \(rendered.debugDescription), expected the error \(message ?? "")"
        case (_, .failure(let error)): return "\(name): \(error)"
        }
    }
}

extension TemplateValue {
    /// The value of a JSON file.
    init(contentsOf url: URL) throws { self.init(try JSONParser.parse(Array(Data(contentsOf: url)))) }

    private init(_ value: JSONValue) {
        self =
            switch value {
            case .null: .none
            case .bool(let value): .bool(value)
            case .integer(let value): .integer(value)
            case .number(let value): .float(value)
            case .string(let text): .string(text)
            case .array(let elements): .list(elements.map { TemplateValue($0) })
            case .object(let members): .mapping(members.map { ($0.key, TemplateValue($0.value)) })
            }
    }

    subscript(key: String) -> TemplateValue { entries.first { $0.0 == key }?.1 ?? .none }
    var text: String { if case .string(let text) = self { text.string } else { "" } }
    var elements: [TemplateValue] { if case .list(let list) = self { list.elements } else { [] } }
    var entries: [(String, TemplateValue)] {
        guard case .mapping(let mapping) = self else { return [] }
        return zip(mapping.keys.map(\.text), mapping.values).map { ($0, $1) }
    }
}
