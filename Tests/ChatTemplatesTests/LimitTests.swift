import Testing

@testable import ChatTemplates

/// Hostile templates end with an error that names the limit, soon and without a crash.
@Suite("Limits of templates") struct LimitTests {
    private static let deep = 2_000

    @Test(
        "ends at a limit",
        arguments: [
            // Time.
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
            "{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(1) }}",
            "{% set s = 'a' * 1000000 %}{% for a in range(99999) %}{% if s == s %}{% endif %}{% endfor %}",
            "{% set s = 'a' * 1000000 %}{% for a in range(99999) %}{% if 'b' in s %}{% endif %}{% endfor %}",
            "{% set s = 'a' * 500000 %}{% set t = 'a' * 250000 ~ 'b' %}{% for a in range(99999) %}{{ t in s }}{% endfor %}",
            "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x == ns.x }}",
            "{% for i in [1] %}{% for j in range(99999) %}{{ range(99999) | sum }}{% endfor %}{% endfor %}",
            // Memory.
            "{{ 'abc' * 9223372036854775807 }}", "{{ [1] * 9223372036854775807 }}", "{{ 'a' * 2000000000 }}",
            "{{ range(100001) }}", "{{ range(-9223372036854775807, 9223372036854775807) }}",
            "{% set ns = namespace(x='ab') %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
            "{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
            "{% set ns = namespace(x='ab') %}{% for i in range(1, 99) %}{% set ns.x = ns.x.replace('b', 'bb' * i) %}{% endfor %}",
            "{{ 'a' | indent(9000000000, true) }}", "{{ 'a'.ljust(9223372036854775807) }}",
            "{{ 'a' | center(99999999999) }}",
            "{{ [1, [2]] | tojson(indent=999999999) }}",
            "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
            "{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x | tojson }}",
            "{% set s %}{% for a in range(99999) %}{% for b in range(99) %}abcdefgh{% endfor %}{% endfor %}{% endset %}",
            // Output.
            "{% for a in range(99999) %}{% for b in range(99999) %}abcdefgh{% endfor %}{% endfor %}",
            // Depth.
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% macro f() %}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}",
            "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% set ns.x = [ns.x] %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% set ns.x = {'a': ns.x} %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% for j in [ns.x] %}{% set ns.x = loop %}{% endfor %}{% endfor %}",
            "{% set ns = namespace(x=1) %}{% for i in range(99999) %}{% set ns.x = [ns.x].index %}{% endfor %}",
            "{% set ns = namespace(x=[]) %}{% for i in range(99999) %}{% set ns.x = [ns.x] | map('trim') %}{% set ns.x = [ns.x] | select %}{% endfor %}",
            "{{ " + String(repeating: "(", count: deep) + "1" + String(repeating: ")", count: deep) + " }}",
            "{{ " + String(repeating: "[", count: deep) + String(repeating: "]", count: deep) + " }}",
            "{{ " + String(repeating: "{1:", count: deep) + "1" + String(repeating: "}", count: deep) + " }}",
            "{{ " + String(repeating: "not ", count: deep) + "1 }}",
            "{{ " + String(repeating: "-", count: deep) + "1 }}",
            "{{ x" + String(repeating: ".x", count: deep) + " }}",
            "{{ x" + String(repeating: "|trim", count: deep) + " }}",
            "{{ x" + String(repeating: "[x", count: deep) + String(repeating: "]", count: deep) + " }}",
            "{{ f" + String(repeating: "(f", count: deep) + String(repeating: ")", count: deep) + " }}",
            "{{ 1" + String(repeating: " if 1 else 1", count: deep) + " }}",
            "{{ 1" + String(repeating: " is odd()", count: deep) + " }}", String(repeating: "{% if 1 %}", count: deep),
            "{% set " + String(repeating: "(", count: deep) + "a" + String(repeating: ")", count: deep) + " = 1 %}",
            "{{ 1" + String(repeating: " if 1", count: deep) + " }}",
            String(repeating: "{% for a in b %}", count: deep), String(repeating: "x", count: 300_000),
        ])
    func stops(_ source: String) throws {
        var limits = TemplateLimits()
        limits.steps = 200_000
        limits.storage = 4_000_000
        let error = #expect(throws: TemplateError.self) { try Template(source).render([], limits: limits) }
        #expect(error?.kind == .limit, "\(error.map { "\($0)" } ?? "no error")")
    }

    @Test(
        "long chains are no nesting",
        arguments: [
            ("{{ 1" + String(repeating: " + 1", count: 5000) + " }}", "5001"),
            ("{{ 'a'" + String(repeating: " ~ ''", count: 5000) + " }}", "a"),
            ("{{ 0" + String(repeating: " or 0", count: 5000) + " }}", "0"),
            ("{{ 1" + String(repeating: " == 1", count: 5000) + " }}", "True"),
            ("{% if 0 %}" + String(repeating: "{% elif 0 %}", count: 5000) + "{% else %}x{% endif %}", "x"),
            ("{% if 1 %}{{ 1 }}{% endif %}" + String(repeating: "{{ '' }}", count: 5000), "1"),
        ])
    func chains(_ source: String, _ expected: String) throws {
        #expect(try Template(source).render([]).string == expected)
    }

    @Test("namespaces that refer to each other are released")
    func cycles() throws {
        let source = """
            {% set a = namespace() %}{% set b = namespace(a=a) %}{% set a.b = b %}{% set a.a = a %}
            {% set ns = namespace(last=none) %}
            {% for i in range(20000) %}{% set ns.last = namespace(before=ns.last) %}{% endfor %}done
            """
        #expect(try Template(source).render([]).string.contains("done"))
        let error = #expect(throws: TemplateError.self) {
            try Template("{% set a = namespace() %}{% set a.a = [a] %}{{ a }}").render([])
        }
        #expect(error?.kind == .evaluation)
    }

    @Test(
        "arithmetic beyond 64 bits is an error",
        arguments: [
            "9223372036854775807 + 1", "-9223372036854775807 - 2", "9223372036854775807 * 2", "2 ** 64", "(-2) ** 65",
            "10 ** 9223372036854775807", "(-9223372036854775807 - 1) // -1", "(-9223372036854775807 - 1) % -1 + 1 // 0",
            "-(-9223372036854775807 - 1)", "(-9223372036854775807 - 1) | abs", "9223372036854775808",
            "1e999 | int + 1 // 0",
            "1 // 0", "1 % 0", "1.0 / 0", "'%.99f' % 1e300", "1 | round(99)",
        ])
    func overflow(_ expression: String) {
        #expect(throws: TemplateError.self) { try Template("{{ \(expression) }}").render([]) }
    }

    @Test("errors name the line and the construct")
    func places() throws {
        func error(_ source: String) -> TemplateError? {
            #expect(throws: TemplateError.self) { try Template(source).render([("x", .integer(1))]) }
        }
        #expect(error("a\n{{ x }}\n  {{ x + 'a' }}").map { "\($0)" } == "line 3, operator +: int + str is not defined")
        #expect(error("{% if x %}\n{{ y.z }}\n{% endif %}")?.line == 2)
        #expect(error("{% if x %}\n{{ y.z }}\n{% endif %}")?.construct == "attribute z")
        #expect(error("\n\n{{ x | nosuch }}").map { "\($0)" } == "line 3, filter nosuch: there is no such filter")
        #expect(error("\n{% for i in x %}{% endfor %}").map { "\($0)" } == "line 2, for: int cannot be iterated")
        #expect(error("\n{% if x %}\n").map { "\($0)" } == "line 2, statement: “{% endif %}” is missing")
        #expect(error("{{ raise_exception('No.') }}").map { "\($0)" } == "No.")
    }
}
