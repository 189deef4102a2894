import Checkpoint
import Foundation
import TestSupport
import Testing
import JSON

/// The commands on models that see.
@Suite(
    "Commands on models that see", .serialized,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
struct PictureCommandTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let model: String
        let name: String
        /// Tensors of the case that a trace must have.
        let expected: [String]
        var testDescription: String { "\(model) \(name)" }

        static let prompts = [
            Case(model: "llava", name: "square", expected: ["input_ids", "hidden.", "step", "greedy"]),
            Case(model: "llava", name: "pair", expected: ["input_ids", "step", "greedy"]),
            Case(
                model: "smolvlm", name: "wide",
                expected: ["input_ids", "image_features", "vision.", "hidden.", "step", "greedy"]),
            Case(
                model: "mllama", name: "small",
                expected: ["input_ids", "aspect", "cross_attention", "vision.", "hidden.", "step", "greedy"]),
            Case(
                model: "mllama", name: "two",
                expected: ["input_ids", "aspect", "cross_attention", "vision.out", "hidden.", "step", "greedy"]),
        ]
    }

    private func image(_ name: String) -> String { Fixtures.models.appending(path: "inputs/\(name)").path }
    private func ids(_ golden: Golden, _ name: String) throws -> String {
        try golden.integers(name).map(String.init).joined(separator: ",")
    }

    @Test(
        "a trace of prompts that mention pictures is what the reference computed, from text and from ids",
        arguments: Case.prompts)
    func prompts(_ run: Case) async throws {
        let golden = try Fixtures.golden(run.model), folder = try TemporaryFolder()
        let prompt = try #require(golden.meta["prompts"]?[run.name])
        let names = try #require(prompt["images"]?.stringArray)
        let pictures = names.flatMap { ["--image", image($0)] }
        let count = try golden.integers("\(run.name)/greedy").count
        let out = folder.path("trace.safetensors")
        let text = try #require(prompt["text"]?.stringValue)
        let typed = try await Program.run(
            ["trace", Fixtures.model(run.model).path, "--prompt", text, "--max-tokens", "\(count)", "--out", out]
                + pictures)
        #expect(typed.code == 0 && typed.output.isEmpty, "\(typed.words)")
        try TraceFile.compare(out, with: golden, case: run.name, expecting: run.expected)
        // LLaVA's fixture has the picture's side under the picture's name.
        if run.model == "llava", names.count == 1 {
            try TraceFile.compare(
                out, with: golden, case: names[0].replacingOccurrences(of: ".png", with: ""),
                expecting: ["pixel_values", "vision.", "image_features"])
        }

        let second = folder.path("ids.safetensors")
        let raw = try await Program.run(
            [
                "trace", Fixtures.model(run.model).path, "--ids", ids(golden, "\(run.name)/input_ids"), "--max-tokens",
                "\(count)", "--only", "self", "--out", second,
            ]
                + pictures)
        #expect(raw.code == 0, "\(raw.words)")
        try TraceFile.compare(
            second, with: golden, case: run.name, expecting: ["input_ids", "step0.self", "step0.logits"])
        #expect(try !Checkpoint.open(second).names.contains { $0.hasPrefix("vision.attn") || $0.contains(".cross.") })
    }

    @Test(
        "a trace of a caption is what the reference computed",
        arguments: [
            ("blip", "caption", "image_a.png"), ("vit-gpt2", "image_b", "image_b.png"),
            ("trocr", "image_a", "image_a.png"),
        ])
    func captions(_ model: String, _ name: String, _ picture: String) async throws {
        let golden = try Fixtures.golden(model), folder = try TemporaryFolder()
        let count = try golden.integers("\(name)/greedy").count
        let out = folder.path("trace.safetensors")
        let run = try await Program.run(
            "trace", Fixtures.model(model).path, "--image", image(picture), "--max-tokens", "\(count)", "--out", out)
        #expect(run.code == 0 && run.output.isEmpty, "\(run.words)")
        try TraceFile.compare(out, with: golden, case: name, expecting: ["decoder_start", "enc.", "step", "greedy"])
    }

    @Test("the wrong kind or number of inputs is refused, and the message says what the model takes")
    func wrongInputs() async throws {
        let folder = try TemporaryFolder(), out = folder.path("o.safetensors")
        let llava = Fixtures.model("llava").path, blip = Fixtures.model("blip").path,
            trocr = Fixtures.model("trocr").path
        let token = try JSONReader(contentsOf: Fixtures.model("llava").appending(path: "config.json").path)
            .int("image_token_index")
        let sound = Fixtures.models.appending(path: "inputs/audio.wav").path
        let cases: [([String], String)] = [
            ([llava, "--audio", sound], "--image FILE"), ([llava, "--image", image("image_a.png")], "--prompt TEXT"),
            ([llava, "--image", image("image_a.png"), "--prompt", "no place"], "1"),
            ([llava, "--ids", "1,\(token)"], "pictures"),
            ([llava, "--image", sound, "--prompt", "<image>"], "picture"),
            ([blip], "--image FILE"),
            ([blip, "--image", image("image_a.png"), "--image", image("image_b.png")], "one picture"),
            ([blip, "--image", image("image_a.png"), "--ids", "1"], "--decoder-ids"),
            ([trocr, "--image", image("image_a.png"), "--prompt", "a"], "--decoder-ids"),
            ([trocr, "--image", image("image_a.png"), "--decoder-ids", "99999999"], "vocabulary"),
        ]
        for (arguments, words) in cases {
            let run = try await Program.run(["trace"] + arguments + ["--out", out])
            #expect(
                run.code == 1 && run.output.isEmpty && run.isOneClearLine && run.words.contains(words),
                "\(arguments): \(run.words)")
        }
        #expect(!FileManager.default.fileExists(atPath: out))
    }
}
