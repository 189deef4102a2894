import Checkpoint
import Foundation
import TestSupport
import Testing

/// The commands on models that see.
@Suite("Commands on models of pictures", .serialized, .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
struct PictureCommandTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let model: String
        let name: String
        /// Where the fixture keeps what the tower alone computed, if under a picture's own name.
        var tower: String?
        var testDescription: String { "\(model) \(name)" }

        static let all = [
            Case(model: "blip", name: "caption"), Case(model: "blip", name: "prompted"), Case(model: "vit-gpt2", name: "image_a"),
            Case(model: "trocr", name: "image_b"), Case(model: "llava", name: "square", tower: "image_a"),
            Case(model: "llava", name: "wide", tower: "image_b"), Case(model: "llava", name: "pair"), Case(model: "smolvlm", name: "square"),
            Case(model: "smolvlm", name: "wide"), Case(model: "mllama", name: "small"), Case(model: "mllama", name: "wide"),
            Case(model: "mllama", name: "two"),
        ]
    }

    private static func input(_ name: String) -> String { Fixtures.models.appending(path: "inputs/\(name)").path }

    @Test("a trace from picture files and a prompt is what the reference computed", arguments: Case.all)
    func traces(_ run: Case) async throws {
        let golden = try Fixtures.golden(run.model), folder = try TemporaryFolder()
        let prompt = golden.meta["prompts"]?[run.name]
        let images = prompt?["images"]?.stringArray ?? ["\(run.name).png"]
        let out = folder.path("trace.safetensors")
        var arguments = ["trace", Fixtures.model(run.model).path] + images.flatMap { ["--image", Self.input($0)] }
        if let text = prompt?["text"]?.stringValue, !text.isEmpty { arguments += ["--prompt", text] }
        let count = try golden.integers("\(run.name)/greedy").count
        let outcome = try await Program.run(arguments + ["--max-tokens", "\(count)", "--out", out])
        #expect(outcome.code == 0, "\(outcome.words)")
        try TraceFile.compare(
            out, with: golden, case: run.name,
            expecting: ["input_ids", "enc.", "hidden.", "step", "greedy", "vision.", "aspect", "cross_attention", "image_features"])
        guard let tower = run.tower else { return }
        try TraceFile.compare(out, with: golden, case: tower, expecting: ["vision.", "image_features"])
        let trace = try Checkpoint.open(out)
        #expect(try golden.compare(actual: trace.floats("pixel_values"), shape: trace.entry("pixel_values").shape, to: "\(tower)/pixel_values") == nil)
    }

    @Test("answers about pictures are streamed")
    func runs() async throws {
        let golden = try Fixtures.golden("blip")
        let caption = try await Program.run("run", Fixtures.model("blip").path, "--image", Self.input("image_a.png"), "--max-tokens", "10", "--json")
        #expect(caption.code == 0, "\(caption.words)")
        let events = try caption.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let ids = events.compactMap { $0["id"] as? Int }
        #expect(try !ids.isEmpty && ids == Array(golden.integers("caption/greedy").prefix(ids.count)))
        #expect(events.first?["event"] as? String == "input_prepared" && events.first?["name"] as? String == "image_a.png")
        for (model, format) in [("llava", "vicuna"), ("mllama", "mllama"), ("smolvlm", "smolvlm")] {
            let chat = try await Program.run(
                "run", Fixtures.model(model).path, "--image", Self.input("image_d.png"), "--image", Self.input("image_e.png"), "--prompt", "Same?",
                "--chat-format", format, "--max-tokens", "3")
            #expect(chat.code == 0, "\(chat.words)")
        }
        for (arguments, words) in [
            (["run", Fixtures.model("trocr").path], "--image FILE"), (["run", Fixtures.model("trocr").path, "--prompt", "a"], "--image FILE"),
            (["run", Fixtures.model("blip").path, "--image", "/none.png"], "/none.png"),
            (["trace", Fixtures.model("llava").path, "--audio", "a", "--out", "o"], "--image FILE"),
            (["trace", Fixtures.model("trocr").path, "--out", "o"], "--image FILE"),
        ] {
            let refused = try await Program.run(arguments)
            #expect(refused.code == 1 && refused.isOneClearLine && refused.words.contains(words), "\(arguments): \(refused.words)")
        }
    }
}
