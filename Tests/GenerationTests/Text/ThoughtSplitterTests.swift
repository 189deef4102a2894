import Testing

@testable import Generation

@Suite struct ThoughtSplitterTests {
    private func split(_ pieces: [String]) -> (thoughts: String, answer: String) {
        var splitter = ThoughtSplitter()
        let parts = pieces.flatMap { splitter.add($0) } + splitter.finish()
        func text(_ isThought: Bool) -> String { parts.filter { $0.isThought == isThought }.map(\.text).joined() }
        return (text(true), text(false))
    }

    @Test(arguments: [
        ("<think>one < two</think>\n\nYes", "one < two", "\n\nYes"), ("no thoughts <b>", "", "no thoughts <b>"),
        ("a<think>b</think>c<think>d", "bd", "ac"), ("cut <thi", "", "cut <thi"),
        ("<think></thinker></think>!", "</thinker>", "!"),
    ])
    func thoughtsAreToldApartWhereverTokensEnd(text: String, thoughts: String, answer: String) {
        for pieces in [[text], text.map(String.init), [String(text.prefix(3)), String(text.dropFirst(3))]] {
            #expect(split(pieces) == (thoughts, answer))
        }
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
