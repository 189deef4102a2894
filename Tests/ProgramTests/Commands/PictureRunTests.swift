import Checkpoint
import Foundation
import TestSupport
import Testing

/// `fovea run` on models that see.
@Suite(
    "Answers about pictures", .serialized,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
struct PictureRunTests {
    private static func input(_ name: String) -> String { Fixtures.models.appending(path: "inputs/\(name)").path }

    @Test("a trace with the beginning of a caption is what the reference computed")
    func prompted() async throws {
        let golden = try Fixtures.golden("blip"), folder = try TemporaryFolder()
        let out = folder.path("trace.safetensors")
        let count = try golden.integers("prompted/greedy").count
        let run = try await Program.run(
            "trace", Fixtures.model("blip").path, "--image", Self.input("image_b.png"), "--prompt", "a picture of",
            "--max-tokens", "\(count)",
            "--out", out)
        #expect(run.code == 0, "\(run.words)")
        try TraceFile.compare(
            out, with: golden, case: "prompted", expecting: ["decoder_start", "enc.", "step", "greedy"])
    }

    @Test("a photograph shown to a model of drawings is warned of, and marked in the events")
    func photographs() async throws {
        let photo = Fixtures.data.appending(path: "photos/000000183709.jpg").path
        let model = Fixtures.packageRoot.appending(path: "assets/models/fovea-scenes").path
        for (picture, isFamiliar) in [(photo, false), (model + "/sample.png", true)] {
            let run = try await Program.run(
                "run", model, "--image", picture, "--prompt", "What do you see?", "--max-tokens", "4", "--json")
            #expect(run.code == 0, "\(run.words)")
            #expect(run.output.contains("\"familiar\":\(isFamiliar)"))
            #expect(run.words.contains("smolvlm-256m") == !isFamiliar, "\(run.words)")
        }
    }

    @Test("answers about pictures are streamed")
    func runs() async throws {
        let golden = try Fixtures.golden("blip")
        let caption = try await Program.run(
            "run", Fixtures.model("blip").path, "--image", Self.input("image_a.png"), "--max-tokens", "10", "--json")
        #expect(caption.code == 0, "\(caption.words)")
        let events = try caption.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let ids = events.compactMap { $0["id"] as? Int }
        #expect(try !ids.isEmpty && ids == Array(golden.integers("caption/greedy").prefix(ids.count)))
        #expect(
            events.first?["event"] as? String == "input_prepared" && events.first?["name"] as? String == "image_a.png")
        for (model, format) in [("llava", "vicuna"), ("mllama", "mllama"), ("smolvlm", "smolvlm")] {
            let chat = try await Program.run(
                "run", Fixtures.model(model).path, "--image", Self.input("image_d.png"), "--image",
                Self.input("image_e.png"), "--prompt", "Same?",
                "--chat-format", format, "--max-tokens", "3")
            #expect(chat.code == 0, "\(chat.words)")
        }
        for (arguments, words) in [
            (["run", Fixtures.model("trocr").path], "--image FILE"),
            (["run", Fixtures.model("trocr").path, "--prompt", "a"], "--image FILE"),
            (["run", Fixtures.model("blip").path, "--image", "/none.png"], "/none.png"),
        ] {
            let refused = try await Program.run(arguments)
            #expect(
                refused.code == 1 && refused.isOneClearLine && refused.words.contains(words),
                "\(arguments): \(refused.words)")
        }
    }
}
