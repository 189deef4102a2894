import Checkpoint
import Foundation
import TestSupport
import Testing

/// Traces held against the fixtures.
enum TraceFile {
    /// Compares every tensor of a trace whose name the fixture has, and says which of the fixture's are missing.
    /// - Parameters:
    ///   - golden: reference values.
    ///   - name: the case, e.g. "main".
    ///   - expected: beginnings of the names the trace must have.
    static func compare(
        _ path: String, with golden: Golden, case name: String, expecting expected: [String],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let trace = try Checkpoint.open(path)
        var compared: Set<String> = []
        for tensor in trace.names {
            let reference = "\(name)/\(tensor == "generated_ids" ? "greedy" : tensor)"
            guard golden.contains(reference) else { continue }
            compared.insert(reference)
            let shape = try trace.entry(tensor).shape
            let mismatch =
                golden.tensors[reference]?.tolerance == .exact
                ? try golden.compare(actual: trace.integers(tensor), to: reference)
                : try golden.compare(actual: trace.floats(tensor), shape: shape, to: reference)
            if let mismatch { Issue.record("\(mismatch)", sourceLocation: sourceLocation) }
        }
        let missing = golden.tensors.keys.filter { key in
            !compared.contains(key) && expected.contains { key.hasPrefix("\(name)/\($0)") }
        }
        #expect(missing.isEmpty, "not in the trace: \(missing.sorted())", sourceLocation: sourceLocation)
    }
}

/// The commands on models that read text.
@Suite(
    "Commands on models of text", .serialized,
    .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
struct TextCommandTests {
    private static let models = ["t5", "flan-t5", "marian", "bart", "llama", "llama3", "gpt2"]
    private static let folder = "gguf/"

    private func ids(_ golden: Golden, _ name: String) throws -> String {
        try golden.integers(name).map(String.init).joined(separator: ",")
    }

    @Test("a trace is what the reference computed, from ids and from text", arguments: models)
    func traces(_ name: String) async throws {
        let golden = try Fixtures.golden(name), folder = try TemporaryFolder()
        let path = Fixtures.model(name).path
        let count = try golden.integers("main/greedy").count
        let out = folder.path("trace.safetensors")
        let run = try await Program.run(
            "trace", path, "--ids", try ids(golden, "main/input_ids"), "--max-tokens", "\(count)", "--out", out)
        #expect(run.code == 0 && run.output.isEmpty, "\(run.words)")
        try TraceFile.compare(
            out, with: golden, case: "main", expecting: ["input_ids", "enc.", "hidden.", "step", "greedy"])

        guard let text = golden.meta["texts"]?["main"]?.stringValue else { return }
        let second = folder.path("text.safetensors")
        let typed = try await Program.run(
            "trace", path, "--prompt", text, "--max-tokens", "2", "--only", "cross", "--only", "self", "--layers", "1",
            "--out", second)
        #expect(typed.code == 0, "\(typed.words)")
        let trace = try Checkpoint.open(second)
        #expect(try trace.integers("input_ids") == golden.integers("main/input_ids"))
        #expect(trace.contains("step0.self.1") && !trace.contains("step0.self.0") && !trace.contains("enc.attn.1"))
    }

    @Test(
        "a trace of a GGUF file is what the reference computed from its dequantized weights",
        arguments: ["llama-f32", "llama-q8_0", "llama-q4_1", "t5-f32", "t5-q5_0"])
    func gguf(_ name: String) async throws {
        let golden = try Fixtures.golden("gguf/\(name).golden"), folder = try TemporaryFolder()
        let path = Fixtures.models.appending(path: "gguf/\(name).gguf").path
        let count = try golden.integers("main/greedy").count
        let out = folder.path("trace.safetensors")
        let run = try await Program.run(
            "trace", path, "--ids", try ids(golden, "main/input_ids"), "--max-tokens", "\(count)", "--out", out)
        #expect(run.code == 0, "\(run.words)")
        try TraceFile.compare(
            out, with: golden, case: "main", expecting: ["input_ids", "enc.", "hidden.", "step", "greedy"])
    }

    @Test("an answer is streamed, as text and as events")
    func runs() async throws {
        let golden = try Fixtures.golden("marian"), path = Fixtures.model("marian").path
        let text = try #require(golden.meta["texts"]?["main"]?.stringValue)
        let greedy = try golden.integers("main/greedy")
        let json = try await Program.run(
            "run", path, "--prompt", text, "--max-tokens", "\(greedy.count)", "--alternatives", "2", "--json")
        #expect(json.code == 0, "\(json.words)")
        let events = try json.output.split(separator: "\n").map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let tokens = events.filter { $0["event"] as? String == "token" }
        let ids = tokens.compactMap { $0["id"] as? Int }
        #expect(!ids.isEmpty && ids == Array(greedy.prefix(ids.count)))
        #expect((tokens.first?["alternatives"] as? [Any])?.count == 2)
        #expect(events.first?["event"] as? String == "input_prepared" && events.last?["event"] as? String == "finished")
        let plain = try await Program.run("run", path, "--prompt", text, "--max-tokens", "\(greedy.count)")
        #expect(plain.code == 0 && plain.output == tokens.compactMap { $0["text"] as? String }.joined() + "\n")

        for more in [
            ["--beams", "3"],
            ["--temperature", "0.9", "--seed", "4", "--top-k", "20", "--top-p", "0.9", "--min-p", "0.01"],
            ["--stop", "e"],
        ] {
            let run = try await Program.run(["run", path, "--prompt", text, "--max-tokens", "6"] + more)
            #expect(run.code == 0, "\(more): \(run.words)")
        }
    }

    @Test("the wrong kind of input is refused, and the message says what the model takes")
    func wrongInputs() async throws {
        let folder = try TemporaryFolder(), out = folder.path("o.safetensors")
        let t5 = Fixtures.model("t5").path, llama = Fixtures.model("llama").path,
            whisper = Fixtures.model("whisper-80").path
        let picture = Fixtures.models.appending(path: "inputs/image_a.png").path
        let sound = Fixtures.models.appending(path: "inputs/audio.wav").path
        let cases: [([String], String)] = [
            (["run", t5, "--audio", sound], "--prompt TEXT"), (["run", llama, "--image", picture], "--prompt TEXT"),
            (["run", t5], "--prompt TEXT"),
            (["run", whisper, "--prompt", "a"], "--audio FILE"),
            (["run", whisper, "--image", picture, "--audio", sound], "--audio FILE"),
            (["trace", t5, "--audio", sound, "--out", out], "--prompt TEXT"),
            (["trace", llama, "--out", out], "--ids"),
            (["trace", llama, "--ids", "1", "--decoder-ids", "1", "--out", out], "--decoder-ids"),
            (["trace", whisper, "--ids", "1", "--out", out], "--audio FILE"),
            (["trace", t5, "--ids", "99999999", "--out", out], "vocabulary"),
            (["run", llama, "--prompt", "a", "--beams", "2", "--temperature", "1"], "temperature"),
        ]
        for (arguments, words) in cases {
            let run = try await Program.run(arguments)
            #expect(
                run.code == 1 && run.output.isEmpty && run.isOneClearLine && run.words.contains(words),
                "\(arguments): \(run.words)")
        }
        #expect(!FileManager.default.fileExists(atPath: out))
        for arguments in [
            ["run", t5, "--prompt", "a", "--raw", "--chat-format", "chatml"], ["tokenize", t5],
            ["tokenize", t5, "a", "--decode", "1"], ["tokenize", t5, "a", "--text"],
        ] {
            #expect(try await Program.run(arguments).code == 2)
        }
    }

    @Test("links and FIFOs are written to, not replaced")
    func outputs() async throws {
        let folder = try TemporaryFolder(), llama = Fixtures.model("llama").path
        let link = folder.path("link"), target = folder.path("target")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "target")
        let fifo = folder.path("fifo"), copy = folder.path("copy")
        try #require(mkfifo(fifo, 0o600) == 0)
        let reader = Process()
        reader.executableURL = URL(filePath: "/bin/sh")
        reader.arguments = ["-c", "cat \"$0\" > \"$1\"", fifo, copy]
        try reader.run()
        for out in [link, fifo] {
            let run = try await Program.run("trace", llama, "--ids", "1,2", "--max-tokens", "1", "--out", out)
            #expect(run.code == 0, "\(run.words)")
        }
        reader.waitUntilExit()
        #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "target")
        let written = try Data(contentsOf: URL(filePath: target))
        let copied = try Data(contentsOf: URL(filePath: copy))
        #expect(!written.isEmpty && written == copied)
    }

    @Test("wrong option values are usage errors")
    func wrongValues() async throws {
        let folder = try TemporaryFolder()
        let llama = Fixtures.model("llama").path, whisper = Fixtures.model("whisper-80").path
        let cases: [([String], String)] = [
            (["trace", llama, "--ids", "1", "--layers", "9", "--out", folder.path("o")], "no layer 9"),
            (["run", llama, "--prompt", "a", "--top-k", "0"], "--top-k"),
            (["run", llama, "--prompt", "a", "--top-p", "1.5"], "--top-p"),
            (["run", llama, "--prompt", "a", "--beams", "0"], "--beams"),
            (["run", llama, "--prompt", "a", "--temperature", "-1"], "--temperature"),
            (["run", llama, "--prompt", "a", "--repetition-penalty", "0"], "--repetition-penalty"),
            (["run", llama, "--prompt", "a", "--chat-format", "nonsense"], "chatml"),
            (["transcribe", whisper, "a.wav", "--language", "zz"], "--language"),
            (["trace", whisper, "--audio", "a.wav", "--language", "zz", "--out", folder.path("o")], "--language"),
            (["run", whisper, "--audio", "a.wav", "--best-of", "0"], "--best-of"),
        ]
        for (arguments, words) in cases {
            let run = try await Program.run(arguments)
            #expect(
                run.code == 2 && run.output.isEmpty && run.words.contains(words),
                "\(arguments): \(run.code) \(run.words)")
        }
    }

    @Test("options that do not apply are refused")
    func idleOptions() async throws {
        let t5 = Fixtures.model("t5").path, gpt2 = Fixtures.model("gpt2").path, llama = Fixtures.model("llama").path
        let whisper = Fixtures.model("whisper-80").path
        let sound = Fixtures.models.appending(path: "inputs/audio.wav").path
        let cases: [([String], String)] = [
            (["run", t5, "--prompt", "a", "--system", "b"], "--system"),
            (["run", t5, "--prompt", "a", "--chat-format", "chatml"], "--chat-format"),
            (["run", gpt2, "--prompt", "a", "--system", "b"], "--system"),
            (["run", llama, "--prompt", "a", "--raw", "--system", "b"], "--system"),
            (["run", llama, "--prompt", "a", "--language", "fr"], "--language"),
            (["run", llama, "--prompt", "a", "--no-timestamps"], "--no-timestamps"),
            (["run", whisper, "--audio", sound, "--top-k", "4"], "--top-k"),
        ]
        for (arguments, words) in cases {
            let run = try await Program.run(arguments)
            #expect(
                run.code == 1 && run.output.isEmpty && run.isOneClearLine && run.words.contains(words),
                "\(arguments): \(run.words)")
        }
    }

    @Test("a model that continues text: greedy is the reference's; beams, samples, formats by name")
    func continues() async throws {
        let golden = try Fixtures.golden("llama"), path = Fixtures.model("llama").path
        let text = try #require(golden.meta["texts"]?["main"]?.stringValue)
        let greedy = try golden.integers("main/greedy")
        func ids(_ more: [String]) async throws -> [Int] {
            let run = try await Program.run(["run", path, "--prompt", text, "--max-tokens", "6", "--json"] + more)
            #expect(run.code == 0, "\(more): \(run.words)")
            return try run.output.split(separator: "\n").compactMap {
                let event = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
                return event?["event"] as? String == "token" ? event?["id"] as? Int : nil
            }
        }
        let plain = try await ids([])
        #expect(!plain.isEmpty && plain == Array(greedy.prefix(plain.count)))
        #expect(try await ids(["--raw", "--context", "64", "--weights", "f32"]) == plain)
        #expect(try await !ids(["--beams", "2"]).isEmpty)
        let sampled = ["--temperature", "1.5", "--seed", "11", "--typical-p", "0.95", "--repetition-penalty", "1.1"]
        #expect(try await ids(sampled) == ids(sampled))
        #expect(try await ids(["--chat-format", "chatml", "--system", "Be brief."]) != plain)
        let unknown = try await Program.run("run", path, "--prompt", "a", "--chat-format", "nonsense")
        #expect(unknown.code == 2 && unknown.words.contains("chatml"), "\(unknown.words)")
    }

    @Test("text to ids and back, also from a GGUF file")
    func tokenize() async throws {
        let golden = try Fixtures.golden("llama")
        let text = try #require(golden.meta["texts"]?["main"]?.stringValue)
        let expected = try golden.integers("main/input_ids").map(String.init).joined(separator: " ")
        for path in [Fixtures.model("llama").path, Fixtures.models.appending(path: "gguf/llama-f32.gguf").path] {
            let run = try await Program.run("tokenize", path, text)
            #expect(run.code == 0 && run.output == expected + "\n", "\(run.words)")
            let back = try await Program.run("tokenize", path, "--no-special", "--decode", expected)
            #expect(back.code == 0 && back.output == text + "\n", "\(back.output) \(back.words)")
        }
        // No template in the fixture: the format has to be named.
        let path = Fixtures.model("llama").path
        let none = try await Program.run("tokenize", path, "Hello", "--chat")
        #expect(none.code == 1 && none.isOneClearLine && none.words.contains("--chat-format"), "\(none.words)")
        let named = try await Program.run("tokenize", path, "Hello", "--chat", "--chat-format", "zephyr")
        let ids = named.output.split(whereSeparator: \.isWhitespace).joined(separator: ",")
        #expect(named.code == 0 && !ids.isEmpty, "\(named.words)")
        let back = try await Program.run("tokenize", path, "--no-special", "--decode", ids)
        #expect(back.output.contains("<|user|>\nHello") && back.output.contains("<|assistant|>"), "\(back.output)")
        let rendered = try await Program.run(
            "tokenize", path, "Hello", "--chat", "--chat-format", "zephyr", "--system", "Be brief.", "--text")
        #expect(
            rendered.output == "<|system|>\nBe brief.</s>\n<|user|>\nHello</s>\n<|assistant|>\n\n", "\(rendered.words)")
    }
}
