import AttentionTypes
import Foundation
import TestSupport
import Testing

@testable import Generation

/// Sessions of Florence-2, whose encoder reads a picture and a prompt together.
@Suite("pictures with prompts", .usesDevice, .needsLargeFixtures, .serialized)
struct PromptedPictureTests {
    @Test(
        "tasks and questions give the reference's tokens; picture and prompt are told apart",
        arguments: [
            ("caption", "<CAPTION>", "image_a.png"), ("wide", "Locate the red ball in the image.", "image_b.png"),
        ])
    func golden(_ run: (name: String, prompt: String, image: String)) async throws {
        let golden = try Fixtures.golden("florence2")
        let engine = try await EngineTests.open(Fixtures.model("florence2").path)
        #expect(engine.abilities()?.inputs == [.picture, .text])
        let image = Fixtures.models.appending(path: "inputs/\(run.image)").path
        var request = GenerationRequest(messages: [ChatMessage(.user, run.prompt, pictures: [image])])
        // The reference starts with `<s>`, which the checkpoint forces as the first token.
        let greedy = [0] + (try golden.integers("\(run.name)/greedy"))
        request.text.maximumTokens = greedy.count
        let answer = try await EngineTests.ask(engine, request)
        #expect(answer.ids == Array(greedy.prefix(answer.ids.count)) && !answer.ids.isEmpty)
        let picture = try #require(answer.pictures.first), source = try #require(answer.source)
        let rows = picture.keys.map(\.key).max().map { $0 + 1 } ?? 0
        #expect(source.tokens.prefix(rows).allSatisfy { $0.piece == "<image>" })
        let ids = try golden.integers("\(run.name)/input_ids")
        #expect(source.tokens.dropFirst(rows).map(\.id) == Array(ids.dropFirst(rows)))
        #expect(answer.tokens[0].attention.first?.keys == source.tokens.count)
        // Places of the picture are part of the answer's text.
        for token in answer.tokens where token.piece.hasPrefix("<loc_") {
            #expect(!token.isSpecial && token.text.contains("<loc_"))
        }
    }

    @Test("wrong requests are typed errors") func wrong() async throws {
        let engine = try await EngineTests.open(Fixtures.model("florence2").path)
        let image = Fixtures.models.appending(path: "inputs/image_a.png").path
        for message in [ChatMessage(.user, "<CAPTION>"), ChatMessage(.user, "<NO_TASK>", pictures: [image])] {
            await #expect(throws: (any Error).self) {
                try await EngineTests.ask(engine, GenerationRequest(messages: [message]))
            }
        }
    }
}
