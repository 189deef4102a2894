import Foundation
import Testing

@testable import ChatTemplates

/// Thousands of damaged templates: each renders or fails with an error, within the limits.
@Suite("Damaged templates") struct MutationTests {
    /// A small generator of pseudo-random numbers (SplitMix64), the same on every machine.
    private struct Random: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
    }

    private static let words = [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "(", ")", "[", "]", "{", "}", ":", ",", ".", "|", "'", "\"", "\\", "*",
        "**",
        "for i in", "endfor", "if", "else", "endif", "set", "is", "not", "in", "range(9)", "loop", "namespace()",
        "tojson",
        "msgs", "missing", "9223372036854775807", "1e300", "-1", "0", "none", "f(*l)", "\n", "é", "\u{0}", "macro f()",
        "endmacro",
    ]

    @Test func neverCrashes() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Cases/constructs.json")
        let file = try TemplateValue(contentsOf: url)
        let sources = file["cases"].elements.map { Array($0["template"].text.unicodeScalars) }
        let variables = file["variables"].entries
        var limits = TemplateLimits()
        limits.steps = 20_000
        limits.storage = 200_000
        limits.output = 50_000
        var random = Random(state: 15)
        var outcomes = (rendered: 0, failed: 0)
        for _ in 0..<4000 {
            // Two templates side by side, so that statements meet other values.
            var source = try #require(sources.randomElement(using: &random))
            source += try #require(sources.randomElement(using: &random))
            for _ in 0..<Int.random(in: 1...2, using: &random) {
                let place = Int.random(in: 0...source.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    let word = try #require(Self.words.randomElement(using: &random))
                    source.insert(contentsOf: word.unicodeScalars, at: place)
                case 1: source.removeSubrange(place..<min(source.count, place + Int.random(in: 1...6, using: &random)))
                default:
                    let end = min(source.count, place + Int.random(in: 1...30, using: &random))
                    source.insert(contentsOf: source[place..<end], at: Int.random(in: 0...source.count, using: &random))
                }
            }
            let text = String(String.UnicodeScalarView(source))
            do {
                let output = try Template(text).render(variables, date: RenderingCase.date, limits: limits)
                #expect(output.scalars.count <= limits.output)
                outcomes.rendered += 1
            } catch {
                #expect(error.line >= 1 && !error.construct.isEmpty)
                outcomes.failed += 1
            }
        }
        #expect(outcomes.rendered > 300 && outcomes.failed > 300)
    }
}
