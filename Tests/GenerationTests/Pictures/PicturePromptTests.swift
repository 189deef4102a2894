import Checkpoint
import Compute
import Foundation
import Media
import Models
import TestSupport
import Testing
import Tokenization

@testable import Generation

@Suite(
    "Pictures in prompts", .usesDevice,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"), .serialized)
struct PicturePromptTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let model: String
        let name: String
        var testDescription: String { "\(model) \(name)" }

        static let all = [
            Case(model: "llava", name: "square"), Case(model: "llava", name: "wide"),
            Case(model: "llava", name: "pair"),
            Case(model: "smolvlm", name: "square"), Case(model: "smolvlm", name: "wide"),
        ]
    }

    private func pictures(_ names: [String], _ model: any PictureReader, _ files: ModelFiles) throws -> [LoadedPicture]
    {
        let processor = try type(of: model).imageProcessor(of: files)
        return try names.map {
            try LoadedPicture(path: Fixtures.models.appending(path: "inputs/\($0)").path, processor: processor)
        }
    }

    @Test("from text and picture files to the reference's tokens, and to its answer", arguments: Case.all)
    func answers(_ run: Case) throws {
        let golden = try Fixtures.golden(run.model)
        let session = try TextSession(path: Fixtures.model(run.model).path, on: Device(validation: false))
        let model = try #require(session.model as? any PictureReader)
        let prompt = try #require(golden.meta["prompts"]?[run.name])
        let loaded = try pictures(try #require(prompt["images"]?.stringArray), model, session.files)
        let tokens = try PicturePrompt.tokens(
            try #require(prompt["text"]?.stringValue), layouts: loaded.map(\.processed.layout), model: model,
            tokenizer: session.tokenizer)
        #expect(try golden.compare(actual: tokens, to: "\(run.name)/input_ids") == nil)

        try model.readPictures(loaded.map(\.processed), keeping: 0)
        var options = TextOptions()
        let expected = try golden.integers("\(run.name)/greedy")
        options.maximumTokens = expected.count
        var ids: [Int] = []
        try session.generate(tokens, options: options) { if case .token(let token) = $0 { ids.append(token.id) } }
        #expect(ids == Array(expected.prefix(ids.count)))
        #expect(ids.count == expected.count || session.endTokens.contains(ids.last ?? -1))

        // What the panel draws with: every image token of the prompt, in its own picture.
        let keys = model.pictureKeys(loaded.map(\.processed.layout), in: tokens)
        for (index, picture) in loaded.enumerated() {
            let input = picture.input(index: index, model: model, keys: keys[index])
            #expect(input.kind == .selfAttention && input.name == prompt["images"]?.stringArray?[index])
            #expect(input.keys.count == model.pictureTokens(for: picture.processed.layout))
            #expect(input.keys.allSatisfy { tokens[$0.key] == model.pictureToken && $0.rectangle != nil })
        }
    }

    @Test("a vocabulary without the image token is encoded around the pictures")
    func foreignVocabulary() throws {
        let files = try ModelFiles(path: Fixtures.model("llava").path)
        let model = try #require(try ModelRegistry.make(from: files) as? any PictureReader)
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model("llama"))
        try #require(tokenizer.id(of: "<image>") == nil)
        let loaded = try pictures(["image_a.png", "image_b.png"], model, files)
        let layouts = loaded.map(\.processed.layout)
        let picture = Array(repeating: try #require(model.pictureToken), count: model.pictureTokens(for: layouts[0]))
        let tokens = try PicturePrompt.tokens(
            "one <image><image>\nsame?", layouts: layouts, model: model, tokenizer: tokenizer)
        #expect(
            tokens == tokenizer.encode("one ") + picture + picture
                + tokenizer.encode("\nsame?", addSpecialTokens: false))
    }

    @Test("as many places as pictures, or a typed error")
    func counts() throws {
        let files = try ModelFiles(path: Fixtures.model("smolvlm").path)
        let model = try #require(try ModelRegistry.make(from: files) as? any PictureReader)
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model("smolvlm"))
        let layouts = try pictures(["image_a.png"], model, files).map(\.processed.layout)
        for (text, layouts) in [("no picture", layouts), ("<image> and <image>", layouts), ("<image>", [])] {
            #expect(
                throws: GenerationError.pictureCount(
                    places: text.components(separatedBy: "<image>").count - 1, pictures: layouts.count)
            ) {
                try PicturePrompt.tokens(text, layouts: layouts, model: model, tokenizer: tokenizer)
            }
        }
    }
}
