import NumberFormats
import Foundation
import Models
import TestSupport
import Testing
import Tokenization

@testable import Generation

/// Picture models through the engine, from picture files to answers.
@Suite(
    "Sessions with pictures", .usesDevice,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"), .serialized)
struct PictureSessionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let model: String
        let name: String
        var testDescription: String { "\(model) \(name)" }
    }

    private static func input(_ name: String) -> String { Fixtures.models.appending(path: "inputs/\(name)").path }

    @Test(
        "captions are the reference's, with the keys of every patch",
        arguments: [
            Case(model: "blip", name: "caption"), Case(model: "blip", name: "prompted"),
            Case(model: "vit-gpt2", name: "image_a"),
            Case(model: "vit-gpt2", name: "image_b"), Case(model: "trocr", name: "image_a"),
            Case(model: "trocr", name: "image_b"),
        ])
    func captions(_ run: Case) async throws {
        let golden = try Fixtures.golden(run.model)
        let engine = try await EngineTests.open(Fixtures.model(run.model).path)
        let abilities = try #require(engine.abilities())
        #expect(
            abilities.inputs == (run.model == "blip" ? [.picture, .text] : [.picture])
                && abilities.shownAttention == .cross)
        let prompt = golden.meta["prompts"]?[run.name]
        let image = prompt?["images"]?.stringArray?.first ?? "\(run.name).png"
        var request = GenerationRequest(messages: [
            ChatMessage(.user, prompt?["text"]?.stringValue ?? "", pictures: [Self.input(image)])
        ])
        let greedy = try golden.integers("\(run.name)/greedy")
        request.text.maximumTokens = greedy.count
        let answer = try await EngineTests.ask(engine, request)
        #expect(answer.ids == Array(greedy.prefix(answer.ids.count)) && !answer.ids.isEmpty)
        #expect(answer.encodings == 1 && answer.pictures.count == 1)
        let picture = try #require(answer.pictures.first)
        #expect(picture.name == image && picture.kind == .cross)
        for (step, token) in answer.tokens.enumerated() {
            for weights in token.attention {
                #expect(weights.kind == .cross && weights.keys == picture.keys.count)
                // The newest row of the prompt comes with the first token.
                guard step > 0 else { continue }
                let name = "\(run.name)/step\(step).cross.\(weights.layer)"
                #expect(
                    try golden.compare(actual: weights.values, shape: [weights.heads, 1, weights.keys], to: name) == nil
                )
            }
            #expect(token.attention.map(\.layer) == abilities.attentionLayers)
        }
        // The picture is read once.
        request.text.answerPrefix = Array(answer.ids.prefix(2))
        let rest = try await EngineTests.ask(engine, request)
        #expect(rest.ids == Array(answer.ids.dropFirst(2)))

        // With every patch of the picture but one hidden, that one has all the weight.
        request.text.answerPrefix = []
        let kept = try #require(picture.keys.last?.key)
        request.interventions.hiddenKeys[.cross] = Set(picture.keys.map(\.key).filter { $0 != kept })
        let blind = try await EngineTests.ask(engine, request)
        for token in blind.tokens {
            for weights in token.attention {
                for head in 0..<weights.heads {
                    #expect(
                        abs(weights.row(head: head, query: 0)[weights.row(head: head, query: 0).startIndex + kept] - 1)
                            < 1e-5)
                }
            }
        }
    }

    @Test("what is wrong with a request is said")
    func refusals() async throws {
        let engine = try await EngineTests.open(Fixtures.model("vit-gpt2").path)
        let picture = Self.input("image_a.png")
        for message in [
            ChatMessage(.user, "what?"), ChatMessage(.user, "what?", pictures: [picture]),
            ChatMessage(.user, "", pictures: [picture, picture]),
        ] {
            await #expect(throws: GenerationError.self) {
                try await EngineTests.ask(engine, GenerationRequest(messages: [message]))
            }
        }
        await #expect(throws: (any Error).self) {
            try await EngineTests.ask(
                engine, GenerationRequest(messages: [ChatMessage(.user, "", pictures: ["/none.png"])]))
        }
        let answer = try await EngineTests.ask(
            engine, GenerationRequest(messages: [ChatMessage(.user, "", pictures: [picture])]))
        #expect(!answer.ids.isEmpty)
    }

    @Test(
        "a prompt with pictures as it is: the reference's tokens, keys and answer",
        arguments: [
            Case(model: "llava", name: "square"), Case(model: "llava", name: "pair"),
            Case(model: "smolvlm", name: "square"),
            Case(model: "mllama", name: "small"), Case(model: "mllama", name: "wide"),
            Case(model: "mllama", name: "two"),
        ])
    func raw(_ run: Case) async throws {
        let golden = try Fixtures.golden(run.model)
        let engine = try await EngineTests.open(Fixtures.model(run.model).path)
        let abilities = try #require(engine.abilities())
        #expect(
            abilities.inputs == [.picture, .text]
                && abilities.shownAttention == (run.model == "mllama" ? .cross : .selfAttention))
        let prompt = try #require(golden.meta["prompts"]?[run.name])
        let images = try #require(prompt["images"]?.stringArray)
        var request = GenerationRequest(messages: [
            ChatMessage(.user, try #require(prompt["text"]?.stringValue), pictures: images.map(Self.input))
        ])
        request.text.chatForm = .raw
        let greedy = try golden.integers("\(run.name)/greedy")
        request.text.maximumTokens = greedy.count
        let answer = try await EngineTests.ask(engine, request)
        #expect(answer.ids == Array(greedy.prefix(answer.ids.count)) && !answer.ids.isEmpty)
        #expect(answer.pictures.map(\.name) == images && answer.encodings == 1)
        #expect(answer.summary?.promptTokens == (try golden.integers("\(run.name)/input_ids").count))
        for token in answer.tokens { #expect(token.attention.map(\.layer) == abilities.attentionLayers) }
        for (step, token) in answer.tokens.enumerated() where step > 0 {
            for weights in token.attention {
                let name = "\(run.name)/step\(step).\(weights.kind.rawValue).\(weights.layer)"
                #expect(
                    try golden.compare(actual: weights.values, shape: [weights.heads, 1, weights.keys], to: name) == nil
                )
            }
        }
        // Again: the pictures are known, and so is all of the prompt but its last token.
        let again = try await EngineTests.ask(engine, request)
        #expect(again.ids == answer.ids && again.encodings == 0 && again.summary?.prefilledTokens == 1)
    }

    @Test(
        "a vocabulary without the image token: pictures go where the format puts them, never where a person writes of them"
    )
    func withoutImageToken() throws {
        let files = try ModelFiles(path: Fixtures.model("llava").path)
        let model = try #require(try ModelRegistry.make(from: files).pictureReader)
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model("llama"))
        let token = try #require(model.pictureToken)
        try #require(tokenizer.id(of: "<image>") == nil)
        let pictures = try ChatPictures(model, from: files, tokenizer: tokenizer)
        let messages = [
            ChatMessage(.user, "Is <image> a word?", pictures: [Self.input("image_a.png")]),
            ChatMessage(.assistant, "Yes."),
            ChatMessage(.user, "Two?", pictures: [Self.input("image_b.png"), Self.input("image_c.png")]),
        ]
        let shown = try pictures.load(messages)
        let tokens = try pictures.tokens(ChatFormat.named("vicuna").text(messages, addingGenerationPrompt: true), shown)
        #expect(shown.pictures.count == 3 && tokens.count { $0 == token } == 3 * 25)
        // Runs of a picture's own tokens, and the text between them as it would be alone.
        let parts = tokens.split(separator: token).map { tokenizer.decode($0) }
        #expect(
            parts.count == 4 && parts[1].contains("Is <image> a word?") && parts[1].contains("Yes.")
                && parts[3].contains("Two?"))
        // Fewer pictures than places.
        let fewer = try pictures.load(Array(messages.prefix(1)))
        #expect(throws: GenerationError.self) {
            try pictures.tokens(ChatFormat.named("vicuna").text(messages, addingGenerationPrompt: true), fewer)
        }
    }

    @Test(
        "a chat about pictures: earlier pictures stay, new ones are read, and another picture is another answer's",
        arguments: [("llava", "vicuna"), ("smolvlm", "smolvlm"), ("mllama", "mllama")])
    func chat(_ model: String, _ format: String) async throws {
        let engine = try await EngineTests.open(Fixtures.model(model).path)
        var request = GenerationRequest(messages: [
            ChatMessage(.user, "What is it?", pictures: [Self.input("image_d.png")])
        ])
        request.text.chatForm = .named(format)
        request.text.maximumTokens = 5
        let first = try await EngineTests.ask(engine, request)
        #expect(first.encodings == 1 && first.pictures.map(\.index) == [0])
        request.messages += [ChatMessage(.assistant, first.text), ChatMessage(.user, "And now?")]
        let second = try await EngineTests.ask(engine, request)
        #expect(second.encodings == 0 && second.pictures.map(\.name) == ["image_d.png"])
        request.messages += [
            ChatMessage(.assistant, second.text),
            ChatMessage(.user, "And this?", pictures: [Self.input("image_e.png")]),
        ]
        let third = try await EngineTests.ask(engine, request)
        #expect(third.encodings == 1 && third.pictures.map(\.name) == ["image_d.png", "image_e.png"])
        let keys = third.pictures.map { Set($0.keys.map(\.key)) }
        #expect(keys[0].isDisjoint(with: keys[1]) && !keys[1].isEmpty)

        // The same from nothing: what was kept is what would have been computed.
        let fresh = try await EngineTests.open(Fixtures.model(model).path)
        let whole = try await EngineTests.ask(fresh, request)
        #expect(whole.pictures.map { $0.keys } == third.pictures.map { $0.keys })
        if whole.summary?.promptTokens == third.summary?.promptTokens { #expect(whole.ids == third.ids) }

        // Text alone afterwards.
        request.messages = [ChatMessage(.user, "Hello")]
        let text = try await EngineTests.ask(engine, request)
        let other = try await EngineTests.ask(fresh, request)
        #expect(text.pictures.isEmpty && text.ids == other.ids)
    }
}
