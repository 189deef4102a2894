import Compute
import Foundation
import Models
import TestSupport
import Testing

@testable import Generation

@Suite("Conversations in a bounded context")
struct ConversationWindowTests {
    /// One token for each character, and two for each message.
    private func prompt(_ messages: [ChatMessage]) -> [Int] {
        messages.flatMap { Array($0.text.utf8).map(Int.init) + [0, 0] }
    }

    private func request(_ turns: Int, system: String = "sss", length: Int = 6) -> GenerationRequest {
        var messages = [ChatMessage(.system, system)]
        for turn in 0..<turns {
            if turn > 0 { messages.append(ChatMessage(.assistant, String(repeating: "a", count: length))) }
            messages.append(ChatMessage(.user, "\(turn)" + String(repeating: "u", count: length - 1)))
        }
        var request = GenerationRequest(messages: messages)
        request.text.maximumTokens = 10
        return request
    }

    @Test func whatFitsIsShownWhole() throws {
        var window = ConversationWindow()
        let asked = request(3)
        let (ids, dropped) = try window.fit(asked, contextLength: 80, prompt: prompt)
        #expect(dropped == 0 && ids == prompt(asked.messages))
    }

    @Test func theOldestTurnsGoWholeAndStayAway() throws {
        var window = ConversationWindow()
        // 5 + 8 · (2n − 1) tokens.
        #expect(try window.fit(request(4), contextLength: 80, prompt: prompt).dropped == 0)
        let first = try window.fit(request(5), contextLength: 80, prompt: prompt)
        #expect(first.dropped == 6 && first.prompt.count <= 40)
        // The system prompt stays, and then a turn begins with the user.
        #expect(first.prompt.prefix(6) == [115, 115, 115, 0, 0, 51])
        // One turn more fits behind what is left: nothing else goes, so the cache stays good.
        let second = try window.fit(request(6), contextLength: 80, prompt: prompt)
        #expect(second.dropped == 6 && second.prompt.starts(with: first.prompt))
        // Another conversation starts anew.
        #expect(try window.fit(request(2, system: "other"), contextLength: 80, prompt: prompt).dropped == 0)
    }

    @Test func aMessageThatCannotFitIsAnError() throws {
        var window = ConversationWindow()
        #expect(throws: GenerationError.messageTooLong(tokens: 107, maximum: 79)) {
            try window.fit(request(1, length: 100), contextLength: 80, prompt: prompt)
        }
        // One that leaves little room is shown all the same.
        #expect(try window.fit(request(1, length: 70), contextLength: 80, prompt: prompt).prompt.count == 77)
    }
}

/// Real weights, where they are on this machine.
@Suite(
    "Chat with SmolLM2", .usesDevice,
    .enabled(if: Fixtures.realModel("smollm2-135m-instruct") != nil, "smollm2-135m-instruct is not installed"),
    .serialized)
struct ChatSessionTests {
    private static func open(context: Int) async throws -> Engine {
        let folder = try #require(Fixtures.realModel("smollm2-135m-instruct"))
        return try await EngineTests.open(folder.path, options: LoadOptions(contextLength: context))
    }

    @Test("two turns: the second runs only its own tokens, and says what it would have said from nothing")
    func turns() async throws {
        let engine = try await Self.open(context: 512)
        let abilities = try #require(engine.abilities())
        #expect(
            abilities.holdsConversations && abilities.inputs == [.text] && abilities.shownAttention == .selfAttention)
        var request = GenerationRequest(messages: [ChatMessage(.user, "What is the capital of France?")])
        request.text.maximumTokens = 24
        request.text.alternatives = 3
        let first = try await EngineTests.ask(engine, request)
        #expect(first.text == "The capital of France is Paris." && first.summary?.reason == .endOfText)
        #expect(
            first.tokens.allSatisfy {
                $0.alternatives.count == 3 && $0.alternatives[0].id == $0.id && $0.logProbability <= 0
            })
        #expect(first.tokens.allSatisfy { $0.attention.map(\.layer) == abilities.attentionLayers })
        #expect(first.summary?.prefilledTokens == first.summary?.promptTokens)

        request.messages += [ChatMessage(.assistant, first.text), ChatMessage(.user, "And of Italy?")]
        let second = try await EngineTests.ask(engine, request)
        let (prompt, new) = (try #require(second.summary?.promptTokens), try #require(second.summary?.prefilledTokens))
        let before = try #require(first.summary?.promptTokens) + first.ids.count - 1
        // What the first turn ran is there still: its prompt, and its answer without the end.
        #expect(new == prompt - before && new < 30)
        #expect(second.text.contains("Rome"))

        let fresh = try await EngineTests.ask(try await Self.open(context: 512), request)
        #expect(fresh.summary?.prefilledTokens == fresh.summary?.promptTokens)
        #expect(fresh.summary?.promptTokens == prompt && fresh.ids == second.ids)
    }

    @Test("a conversation longer than the context loses its oldest turns, and an event says so")
    func overflow() async throws {
        let engine = try await Self.open(context: 160)
        var request = GenerationRequest(messages: [ChatMessage(.system, "You are brief.")])
        request.text.maximumTokens = 16
        var dropped = 0
        for question in [
            "Name a fruit.", "Name a city in Spain.", "Name a colour of the sky.", "Name an animal that barks.",
            "Name a number below five.",
        ] {
            request.messages.append(ChatMessage(.user, question))
            let answer = try await EngineTests.ask(engine, request)
            #expect(!answer.ids.isEmpty && (answer.summary?.promptTokens ?? 999) < 160)
            dropped = answer.dropped
            request.messages.append(ChatMessage(.assistant, answer.text))
        }
        #expect(dropped > 0 && dropped % 2 == 0)
        request.messages.append(ChatMessage(.user, String(repeating: "word ", count: 400)))
        await #expect(throws: GenerationError.self) { try await EngineTests.ask(engine, request) }
    }

    @Test("what a person writes never becomes the end of a turn; other formats by name; an unknown one is refused")
    func formats() async throws {
        let engine = try await Self.open(context: 256)
        var request = GenerationRequest(messages: [ChatMessage(.user, "Repeat: <|im_end|>")])
        request.text.maximumTokens = 4
        let answer = try await EngineTests.ask(engine, request)
        let source = try #require(answer.source)
        // The format's own ends, for the system message that it adds and for the person's.
        #expect(source.tokens.filter { $0.piece == "<|im_end|>" }.count == 2)
        request.text.chatForm = .named("zephyr")
        #expect(
            try await EngineTests.ask(engine, request).source?.tokens.map(\.text).joined().hasPrefix("<|user|>") == true
        )
        request.text.chatForm = .named("nonsense")
        await #expect(throws: GenerationError.self) { try await EngineTests.ask(engine, request) }
        request.text.chatForm = .raw
        request.messages = [ChatMessage(.user, "The capital of France is")]
        let raw = try await EngineTests.ask(engine, request)
        #expect(raw.text.contains("Paris"))
    }
}
