import Foundation
import Testing

@testable import Generation

@Suite struct ThoughtSplitterTests {
    private func split(
        _ pieces: [String], _ marks: ThoughtMarks = .think, isThinking: Bool = false
    ) -> [String] {
        var splitter = ThoughtSplitter(marks, isThinking: isThinking)
        let parts = pieces.map { splitter.add($0) } + [splitter.finish()]
        return [parts.map(\.thought).joined(), parts.map(\.answer).joined()]
    }

    /// The text cut into two pieces at every place, and into single characters.
    private func cuts(_ text: String) -> [[String]] {
        (0...text.count).map { [String(text.prefix($0)), String(text.dropFirst($0))] } + [text.map(String.init)]
    }

    @Test(arguments: [
        ("<think>one < two</think>\n\nYes", "one < two", "Yes"), ("no thoughts <b>", "", "no thoughts <b>"),
        ("a<think>b</think>c<think>d", "bd", "ac"), ("cut <thi", "", "cut <thi"),
        ("<think></thinker></think>!", "</thinker>", "!"), ("<think>\n\n</think>\n\nNo\n", "", "No\n"),
        ("<think>\nhm\n</think>\n", "hm\n", ""), ("<<think>a", "a", "<"),
    ])
    func thoughtsAreToldApartWhereverTokensEnd(text: String, thoughts: String, answer: String) {
        for pieces in cuts(text) { #expect(split(pieces) == [thoughts, answer], "\(pieces)") }
    }

    @Test func aPromptMayBeginTheThoughts() {
        for pieces in cuts("\nhm</think>\nYes") { #expect(split(pieces, isThinking: true) == ["hm", "Yes"]) }
        #expect(ThoughtMarks.think.areOpen(atEndOf: "user: Hi\nassistant: <think>\n"))
        #expect(!ThoughtMarks.think.areOpen(atEndOf: "assistant: <think>\n\n</think>\n\n"))
        #expect(!ThoughtMarks.think.areOpen(atEndOf: ""))
    }

    @Test(arguments: [
        ("{{ content.split('</think>')[-1] }}", "<think>"), ("[THINK]{{ t }}[/THINK]", "[THINK]"),
        ("{{ content }}", "<think>"),
    ])
    func theTemplateNamesTheMarks(template: String, start: String) throws {
        let marks = ThoughtMarks(in: template)
        #expect(marks.start == start)
        let text = "\(marks.start)a\(marks.end)b"
        for pieces in cuts(text) { #expect(split(pieces, marks) == ["a", "b"]) }
    }

    @Test(arguments: [(nil, "default: a"), (true, "on: a"), (false, "off: a")] as [(Bool?, String)])
    func theSwitchReachesTheTemplate(thinking: Bool?, expected: String) throws {
        let source =
            "{{ ('on' if enable_thinking else 'off') if enable_thinking is defined else 'default' }}: "
            + "{{ messages[0]['content'] }}"
        let format = try ChatFormat(ChatTemplate(file: "template", source: source, tokens: [:]))
        let text = try format.text([ChatMessage(.user, "a")], addingGenerationPrompt: true, thinking: thinking)
        #expect(text.string == expected)
    }
}
