import Testing

@testable import ChatTemplates

/// Text that people wrote keeps its mark on the way through a template.
@Suite("Origin of text") struct OriginTests {
    private static var input: TemplateValue { .string("  <b> it's\n", isInput: true) }

    @Test(
        "what comes from the input stays marked",
        arguments: [
            ("<b>{{ x }}</b>", "<b>[  <b> it's\n]</b>"), ("{{ '<b>' + x | trim + '</b>' }}", "<b>[<b> it's]</b>"),
            ("{{ x.strip()[1:] ~ '|' ~ x | upper }}", "[b> it's]|[  <B> IT'S\n]"),
            ("{{ x.split('>')[0] }}>{{ x | length }}", "[  <b]>11"),
            ("{{ x.replace('b', 'i') }}", "[  <]i[> it's\n]"), ("{{ [x] | tojson }}", "[\"[  <b> it's\\n]\"]"),
            ("{{ [x.strip()] }}", "[\"[<b> it's]\"]"), ("{{ [x.strip(), 'a'] | join('-') }}", "[<b> it's]-a"),
            ("{% set y %}<{{ x | trim }}>{% endset %}{{ y }}", "<[<b> it's]>"),
            ("{% macro f(a) %}<{{ a | trim }}>{% endmacro %}{{ f(x) }}", "<[<b> it's]>"),
            ("{{ '%s!' % x.strip() }}{{ '{}'.format(x[2]) }}", "[<b> it's]![<]"),
            ("{% for c in x.strip()[:2] %}{{ c }},{% endfor %}", "[<],[b],"), ("{{ x == '  <b> it\\'s\\n' }}", "True"),
        ])
    func marks(_ source: String, _ expected: String) throws {
        let runs = try Template(source).render([("x", Self.input)]).runs
        #expect(runs.map { $0.isInput ? "[\($0.text)]" : $0.text }.joined() == expected)
    }

    @Test("texts are compared scalar by scalar")
    func scalars() throws {
        let variables: [(String, TemplateValue)] = [("a", .string("\u{E9}")), ("b", .string("e\u{301}"))]
        let text = try Template("{{ a == b }}{{ b | length }}{{ {a: 1, b: 2} | length }}{{ b[0] }}").render(variables)
        #expect(text.string == "False22e")
    }
}
