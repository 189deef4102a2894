import Foundation
import Testing

@testable import ChatTemplates

/// Small templates for every construct: each renders as Jinja2 does (`Cases/make_cases.py`).
@Suite("Constructs") struct ConstructTests {
    @Test func everyConstruct() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases/constructs.json")
        let file = try TemplateValue(contentsOf: url)
        let cases = file["cases"].elements
        #expect(cases.count > 700)
        for item in cases {
            let source = item["template"].text
            let rendering = RenderingCase(
                name: source.debugDescription, variables: file["variables"].entries, expected: item["expected"])
            let difference = rendering.difference { try Template(source) }
            #expect(difference == nil)
        }
    }
}
