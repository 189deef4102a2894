import ModelStore
import Checkpoint
import Foundation
import Models
import TestSupport
import Testing

@testable import Generation

/// The models that come with Fovea, held against what PyTorch's transformers answered: greedy answers to held-out questions,
/// and the attention of the first of them. The recipes of the models (`evaluate.py`) wrote both.
@Suite("Included models", .usesDevice, .serialized)
struct IncludedModelTests {
    /// Those that are there.
    static let names = ["fovea-scenes", "fovea-scenes-llava", "fovea-fra-eng"].filter {
        FileManager.default.fileExists(atPath: folder($0).appending(path: "config.json").path)
    }

    static func folder(_ name: String) -> URL { Fixtures.packageRoot.appending(path: "assets/models/\(name)") }

    private struct Question: Decodable {
        struct Message: Decodable {
            struct Part: Decodable {
                var type: String
                var text: String?
            }
            var role: ChatRole
            var content: [Part]
        }

        // Of the picture models.
        var picture: String?
        var messages: [Message]?
        // Of the translator.
        var text: String?
        /// The prompt's, or the source's.
        var ids: [Int]
        var answer_ids: [Int]

        var request: GenerationRequest {
            let pictures = picture.map { [IncludedModelTests.folder("questions").appending(path: $0).path] } ?? []
            let said = messages ?? [Message(role: .user, content: [.init(type: "text", text: text)])]
            var request = GenerationRequest(
                messages: said.enumerated().map { index, message in
                    ChatMessage(
                        message.role, message.content.compactMap(\.text).joined(), pictures: index == 0 ? pictures : [])
                })
            request.text.maximumTokens = 64
            return request
        }
    }

    @Test("the same greedy answers as transformers to 200 questions, and the same attention", arguments: names)
    func answers(_ name: String) async throws {
        let questions = try JSONDecoder().decode(
            [Question].self, from: Data(contentsOf: Self.folder(name).appending(path: "questions/questions.json")))
        let attention = try Checkpoint.open(Self.folder(name).appending(path: "questions/attention.safetensors").path)
        let engine = try await EngineTests.open(Self.folder(name).path)
        let abilities = try #require(engine.abilities())
        #expect(!abilities.alignmentHeads.isEmpty || name == "fovea-fra-eng")
        #expect(questions.count == 200)
        var different: [String] = []
        var compared = 0
        var worst: Float = 0
        for (number, question) in questions.enumerated() {
            let answer = try await EngineTests.ask(engine, question.request)
            if let source = answer.source, name == "fovea-fra-eng" { #expect(source.tokens.map(\.id) == question.ids) }
            if answer.ids != question.answer_ids {
                different.append("\(number): \(answer.ids) instead of \(question.answer_ids)")
            }
            let stem = String(format: "%03d", number)
            for (step, token) in answer.tokens.enumerated() {
                for weights in token.attention
                where attention.contains("\(stem).\(weights.layer)") && weights.kind == abilities.shownAttention {
                    let entry = try attention.entry("\(stem).\(weights.layer)"),
                        reference = try attention.floats("\(stem).\(weights.layer)")
                    try #require(
                        entry.shape[1] == weights.heads && entry.shape[2] >= weights.keys && step < entry.shape[0])
                    for head in 0..<weights.heads {
                        let first = (step * weights.heads + head) * entry.shape[2]
                        for (ours, theirs) in zip(
                            weights.row(head: head, query: 0), reference[first..<first + weights.keys])
                        { worst = max(worst, abs(ours - theirs)) }
                    }
                    compared += 1
                }
            }
        }
        #expect(different.isEmpty, "\(different.count) of \(questions.count) differ: \(different.prefix(3))")
        #expect(compared > 200 && worst < 1e-3, "attention differs by \(worst)")
    }

    @Test("each says what it is, and has something to try it on", arguments: names)
    func descriptions(_ name: String) throws {
        let model = try #require(
            BundledModel.all(in: Fixtures.packageRoot.appending(path: "assets/models").path).first { $0.name == name })
        #expect(!model.summary.isEmpty && !model.licence.isEmpty && model.byteCount < 40_000_000)
        let sample = try #require(model.sample)
        #expect(sample.questions.count >= 2)
        if let picture = sample.picture {
            #expect(FileManager.default.fileExists(atPath: picture))
        } else {
            #expect(name == "fovea-fra-eng")
        }
    }
}
