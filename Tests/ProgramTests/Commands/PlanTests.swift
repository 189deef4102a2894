import Foundation
import TestSupport
import Testing

/// `fovea plan` from configurations alone.
@Suite("fovea plan", .enabled(if: Program.isBuilt)) struct PlanTests {
    private static let assets = ["FOVEA_ASSETS": Fixtures.packageRoot.appending(path: "assets").path]

    private func plan(_ arguments: String...) async throws -> (Program.Outcome, [String: Any]) {
        let run = try await Program.run(["plan"] + arguments + ["--json"], environment: Self.assets)
        return (run, run.json as? [String: Any] ?? [:])
    }

    private func bytes(_ plan: [String: Any]) -> [String: Int] {
        (plan["purposes"] as? [[String: Any]] ?? []).reduce(into: [:]) {
            $0[$1["purpose"] as? String ?? ""] = $1["bytes"] as? Int
        }
    }

    @Test("well-known models are found by name")
    func byName() async throws {
        let (run, plan) = try await plan("whisper-large-v3", "--device-memory", "24GiB")
        #expect(run.code == 0 && plan["architecture"] as? String == "whisper" && plan["fits"] as? Bool == true)
        let parts = bytes(plan)
        #expect(
            Set(parts.keys).isSuperset(of: [
                "weights.encoder", "weights.decoder", "kv.self", "kv.cross", "activations", "staging",
            ]))
        #expect(parts.values.reduce(0, +) == plan["total"] as? Int)
    }

    @Test("a picture's share of the context, and weights by part")
    func picture() async throws {
        let (run, plan) = try await plan(
            "llava-1.5-7b", "--weights", "f16", "--context", "2048", "--image", "336x336", "--device-memory", "24GiB")
        #expect(run.code == 0 && plan["fits"] as? Bool == true)
        let picture = try #require((plan["pictures"] as? [[String: Any]])?.first)
        let perToken = try #require(plan["bytes_per_token"] as? Int)
        #expect(picture["tokens"] as? Int == 576 && picture["key_value_bytes"] as? Int == 576 * perToken)
        #expect(
            Set(bytes(plan).keys).isSuperset(of: [
                "weights.vision", "weights.projector", "weights.decoder", "kv.self", "activations",
            ]))
        // What the picture becomes stays beside the cache as long as the conversation has it: 576 rows of 4,096 numbers.
        let (_, blind) = try await self.plan(
            "llava-1.5-7b", "--weights", "f16", "--context", "2048", "--device-memory", "24GiB")
        let more = try #require(plan["total"] as? Int) - (try #require(blind["total"] as? Int))
        #expect((576 * 4096 * 4..<576 * 4096 * 4 + 8192).contains(more))
        #expect(bytes(plan).values.reduce(0, +) == plan["total"] as? Int)
        let words = try await Program.run(
            "plan", "llava-1.5-7b", "--context", "2048", "--image", "336x336", "--device-memory", "24GiB",
            environment: Self.assets)
        #expect(words.output.contains("576 tokens (28.1 % of the context)") && words.output.contains("fits"))
    }

    @Test("what does not fit says what would make it fit")
    func suggestions() async throws {
        let (run, plan) = try await plan("llama-2-7b", "--device-memory", "14GiB")
        #expect(run.code == 1 && run.isOneClearLine && plan["fits"] as? Bool == false)
        let suggestions = try #require(plan["suggestions"] as? [[String: Any]])
        #expect(suggestions.count == 2)
        for suggestion in suggestions {
            var arguments = ["llama-2-7b", "--device-memory", "14GiB"]
            if let weights = suggestion["weights"] as? String { arguments += ["--weights", weights] }
            if let context = suggestion["context"] as? Int { arguments += ["--context", "\(context)"] }
            let followed = try await Program.run(["plan"] + arguments + ["--json"], environment: Self.assets)
            #expect(
                followed.code == 0 && (followed.json as? [String: Any])?["total"] as? Int == suggestion["total"] as? Int
            )
        }
        // Nothing helps a model that is too large in every form.
        let (hopeless, none) = try await self.plan("llama-2-7b", "--device-memory", "1GiB")
        #expect(hopeless.code == 1 && (none["suggestions"] as? [Any])?.isEmpty == true)
    }

    @Test("a bare config file and a folder without weights are enough")
    func bareConfiguration() async throws {
        let source = Fixtures.packageRoot.appending(path: "assets/configs/t5-small/config.json")
        let folder = try TemporaryFolder()
        let text = try String(contentsOf: source, encoding: .utf8)
        let totals = try await [
            folder.write(text, to: "mine.json"),
            {
                _ = try folder.write(text, to: "config.json"); return folder.url.path
            }(),
        ]
        .asyncMap { try await plan($0, "--device-memory", "8GiB").1["total"] as? Int }
        #expect(totals[0] != nil && totals[0] == totals[1])
        for bad in ["", "[]", "{}", "{\"model_type\": \"t5\", \"d_model\": -1}", "{\"model_type\": \"mystery\"}"] {
            let run = try await Program.run("plan", try folder.write(bad, to: "bad.json"))
            #expect(run.code == 1 && run.isOneClearLine && run.words.contains("bad.json"), "\(bad): \(run.words)")
        }
    }

    @Test("options that cannot be are usage errors")
    func usage() async throws {
        for arguments in [
            ["--weights", "q4_k"], ["--weights", "x"], ["--context", "0"], ["--context", "-3"], ["--image", "336"],
            ["--image", "0x5"],
            ["--image", "9999999x5"],
        ] {
            let run = try await Program.run(["plan", "t5-small"] + arguments, environment: Self.assets)
            #expect(run.code == 2, "\(arguments): \(run.words)")
        }
        let deaf = try await Program.run(
            "plan", "t5-small", "--image", "3x3", "--device-memory", "1GiB", environment: Self.assets)
        #expect(deaf.code == 1 && deaf.words.contains("--image"))
    }
}

extension Array {
    fileprivate func asyncMap<T>(_ transform: (Element) async throws -> T) async rethrows -> [T] {
        var result: [T] = []
        for element in self { result.append(try await transform(element)) }
        return result
    }
}

/// `--dummy-weights` on the command line.
@Suite("fovea trace --dummy-weights", .enabled(if: Program.isBuilt)) struct DummyWeightsProgramTests {
    @Test(
        "a model of a configuration alone runs, and writes the same twice", .enabled(if: Fixtures.available),
        arguments: ["f16", "q4_k"])
    func trace(_ format: String) async throws {
        let config = Fixtures.model("llama").appending(path: "config.json").path
        let folder = try TemporaryFolder()
        var written: [Data] = []
        for name in ["a", "b"] {
            let run = try await Program.run(
                "trace", config, "--dummy-weights", format, "--ids", "1,2,3", "--max-tokens", "2", "--out",
                folder.path(name), "--json")
            #expect(run.code == 0, "\(run.words)")
            #expect((run.json as? [[String: Any]])?.contains { $0["name"] as? String == "step1.logits" } == true)
            written.append(try Data(contentsOf: folder.url.appending(path: name)))
        }
        #expect(written[0] == written[1])
    }

    @Test("weights are converted for every command that loads them", .enabled(if: Fixtures.available))
    func converted() async throws {
        let folder = try TemporaryFolder()
        let model = Fixtures.model("t5").path
        let (plain, small) = (folder.path("plain"), folder.path("small"))
        for (out, options) in [(plain, [String]()), (small, ["--weights", "q4_0", "--context", "64"])] {
            let run = try await Program.run(
                ["trace", model, "--ids", "3,4,5", "--max-tokens", "1", "--out", out] + options)
            #expect(run.code == 0, "\(run.words)")
        }
        #expect(try Data(contentsOf: URL(filePath: plain)) != Data(contentsOf: URL(filePath: small)))
        let answer = try await Program.run(
            "run", model, "--prompt", "A small boat", "--max-tokens", "3", "--weights", "q8_0")
        #expect(answer.code == 0, "\(answer.words)")
        for command in ["run", "trace", "chat", "plan"] {
            let usage = try await Program.run(
                [command, model, "--weights", "q4_k"] + (command == "trace" ? ["--out", "o"] : []))
            #expect(usage.code == 2 && usage.words.contains("--weights"), "\(command): \(usage.words)")
        }
    }

    @Test("what cannot be is said") func refusals() async throws {
        let folder = try TemporaryFolder()
        let no = try await Program.run("trace", "x", "--dummy-weights", "q8_k", "--ids", "1", "--out", folder.path("o"))
        #expect(no.code == 2 && no.words.contains("--dummy-weights"))
        let both = try await Program.run(
            "trace", Fixtures.packageRoot.appending(path: "assets/configs/t5-small").path, "--dummy-weights", "f16",
            "--weights", "q8_0", "--ids", "1",
            "--out", folder.path("o"))
        #expect(both.code == 1 && both.isOneClearLine && both.words.contains("--weights"))
    }
}

/// `fovea bench` on models of every kind, with random weights.
@Suite("fovea bench --dummy-weights", .enabled(if: Program.isBuilt), .serialized) struct DummyBenchTests {
    @Test(
        "models of every kind are measured from a configuration", .enabled(if: Fixtures.available),
        arguments: [
            ("t5", "q8_0"), ("llama", "f16"), ("blip", "f32"), ("llava", "q4_0"),
        ])
    func bench(_ model: String, _ format: String) async throws {
        let config = Fixtures.model(model).appending(path: "config.json").path
        let run = try await Program.run(
            "bench", config, "--dummy-weights", format, "--tokens", "4", "--repeats", "1", "--skip-first-token",
            "--json")
        #expect(run.code == 0, "\(run.words)")
        let report = try #require(run.json as? [String: Any])
        let decode = try #require(report["decode"] as? [[String: Any]])
        #expect(decode.count == 3 && decode.allSatisfy { ($0["seconds_per_token"] as? Double ?? 0) > 0 })
        #expect(report["weight_bytes"] as? Int ?? 0 > 0)
    }
}
