import Foundation
import Generation
import ModelStore
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

/// Thoughts before an answer: shown apart, left out of what the model is told, and kept in exports.
@Suite struct ThoughtTests {
    private static func thinking(isFinished: Bool = true) -> Scene {
        var scene = Scene(100, 34)
        scene.send(
            .device("llvmpipe"), .started(model: nil, audio: nil),
            .models([ModelChoice(name: "thinker", description: "thinks", installed: true, bytes: 1)]),
            .loaded("thinker", .done))
        scene.type("Why?")
        scene.press(Key(.enter))
        let pieces = [
            ("<think>", "", nil), ("so", "", "let me see"), ("me", "", ", <b>rain"), ("</think>", "", nil),
            ("be", "Because", nil), ("cause", " it rains.", nil),
        ]
        for (index, (piece, text, thought)) in pieces.prefix(isFinished ? pieces.count : 3).enumerated() {
            let token = GeneratedToken(
                index: index, id: index, text: text, piece: piece, logProbability: -0.5, thought: thought)
            scene.send(.answer(scene.state.chat.answer, .token(token), time: Double(index)))
        }
        if isFinished { scene.send(.answered(scene.state.chat.answer, .done)) }
        return scene
    }

    @Test func thoughtsAreOneLineUntilTheyAreShown() {
        var scene = Self.thinking()
        #expect(scene.text.contains("thoughts · 2 tokens") && scene.text.contains("Because it rains."))
        #expect(!scene.text.contains("let me see"))
        scene.press(.control("t"))
        #expect(scene.text.contains("let me see, <b>rain") && scene.text.contains("Because it rains."))
        scene.press(.control("t"))
        #expect(!scene.text.contains("let me see"))
        #expect(Self.thinking(isFinished: false).text.contains("thinking · 2 tokens"))
    }

    @Test func aSelectedThoughtIsShown() {
        var scene = Self.thinking()
        scene.state.select(TokenPlace(message: 1, token: 1))
        #expect(scene.text.contains("let me see"))
    }

    @Test func theModelIsToldTheAnswerOnly() {
        var scene = Self.thinking()
        scene.type("Really?")
        let effects = scene.press(Key(.enter))
        guard case .answer(_, let request)? = effects.first(where: { if case .answer = $0 { true } else { false } })
        else {
            Issue.record("nothing was asked")
            return
        }
        #expect(request.messages.map(\.text) == ["Why?", "Because it rains.", "Really?"])
    }

    @Test(arguments: ExportFormat.allCases)
    func exportsKeepThoughtsApart(format: ExportFormat) {
        let text = format.text(of: Self.thinking().state)
        switch format {
        case .md: #expect(text.contains("Thoughts:\n\n> let me see, <b>rain\n\nBecause it rains."))
        case .json:
            #expect(text.contains("\"thoughts\" : \"let me see, <b>rain\""))
            #expect(text.contains("\"text\" : \"Because it rains.\""))
        case .html:
            #expect(text.contains("<summary>Thoughts</summary>") && text.contains(", &lt;b&gt;rain"))
            #expect(!text.contains("<b>rain"))
        }
    }
}
