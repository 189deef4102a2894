import Foundation
import TestSupport
import Testing

/// `fovea models` and `fovea pull`, without the network.
@Suite(.serialized) struct ModelsTests {
    @Test func theCatalogueIsListed() async throws {
        let run = try await Program.run("models")
        #expect(run.code == 0)
        #expect(run.output.contains("whisper-tiny.en") && run.output.contains("whisper-base"))
        #expect(run.words.contains("fovea pull"))
        let json = try #require(try await Program.run("models", "--json").json as? [[String: Any]])
        #expect(json.contains { $0["name"] as? String == "whisper-tiny.en" && $0["installed"] as? Bool == false })
        // Those of unsupported architectures have no forecast.
        let unknown = json.filter { $0["memory"] == nil }.compactMap { $0["name"] as? String }
        #expect(Set(unknown) == ["llava-1.6-7b", "qwen3-vl-2b", "qwen2.5-vl-3b", "gemma-3-4b"])
        for listing in json {
            guard let memory = listing["memory"] as? Int, let bytes = listing["bytes"] as? Int else { continue }
            #expect(memory > bytes / 3 && memory < 8 * bytes + 2_000_000_000, "\(listing["name"] ?? "")")
        }
    }

    @Test(.needsLargeFixtures) func modelsOfOtherProgramsAreListedAndOpen() async throws {
        let environment = ["OLLAMA_MODELS": Fixtures.model("stores").appending(path: "ollama").path]
        let listing = try await Program.run("models", "--json", environment: environment)
        let models = try #require(listing.json as? [[String: Any]]).filter { $0["origin"] as? String == "ollama" }
        #expect(models.count == 10)
        func model(_ name: String) throws -> [String: Any] {
            try #require(models.first { $0["name"] as? String == name }, "\(name) is not listed")
        }
        for (name, architecture, files) in [
            ("tiny-llama:latest", "llama", 1), ("tiny-llava:7b", "llava", 2), ("tiny-mllama:11b", "mllama", 1),
            ("tiny-mllama:11b-old", "mllama", 2), ("hf.co/tiny-org/tiny-llama-GGUF:Q4_0", "llama", 1),
        ] {
            let model = try model(name)
            #expect(model["opens"] as? Bool == true, "\(name): \(model["opens"] ?? "")")
            #expect(model["architecture"] as? String == architecture)
            #expect((model["paths"] as? [String])?.count == files)
            #expect(model["size"] as? Int ?? 0 > 1000)
        }
        for name in ["tiny-lost:latest", "tiny-short:latest", "tiny-garbled:latest", "tiny-tensors:latest"] {
            #expect((try model(name)["opens"] as? String)?.isEmpty == false)
        }
        let run = try await Program.run(
            "run", "tiny-llama", "--prompt", "a", "--raw", "--max-tokens", "2", environment: environment)
        #expect(run.code == 0, "\(run.words)")
        let ambiguous = try await Program.run("run", "tiny-mllama", "--prompt", "a", environment: environment)
        #expect(ambiguous.code == 1 && ambiguous.isOneClearLine)
        #expect(ambiguous.words.contains("tiny-mllama:11b, tiny-mllama:11b-old"))
    }

    @Test func anUnknownNameIsRefusedBeforeAnythingIsFetched() async throws {
        let run = try await Program.run("pull", "whisper-tiny.en", "whisper-enormous")
        #expect(run.code == 1)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("whisper-enormous") && run.words.contains("whisper-base"))
    }

    @Test func aStoreThatCannotBeWrittenIsNamed() async throws {
        // /proc refuses folders even to root.
        let run = try await Program.run("pull", "whisper-tiny.en", environment: ["XDG_DATA_HOME": "/proc/none"])
        #expect(run.code == 1)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("/proc/none") && run.words.contains("XDG_DATA_HOME"))
    }

    @Test(.enabled(if: Machine.has("python3"), "python3 serves the files"))
    func aModelArrivesVerifiedFromAHub() async throws {
        let hub = try await StaticHub(), home = try TemporaryFolder()
        try hub.add(wrongDigest: false)
        let run = try await Program.run(
            "pull", "org/model", "--json", home: home, environment: ["HF_ENDPOINT": hub.endpoint])
        #expect(run.code == 0, "\(run.words)")
        let listing = try #require(run.json as? [[String: Any]])
        #expect(listing.first?["name"] as? String == "org/model")
        #expect(run.words.contains("installed"))
        // Not a terminal: no line is rewritten.
        #expect(!run.words.contains("\r") && !run.words.contains("\u{1b}"))

        let verified = try await Program.run("models", "--verify", "org/model", home: home)
        #expect(verified.code == 0, "\(verified.words)")
        let path = home.path(".local/share/fovea/models/org--model/model.safetensors")
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count - 1] ^= 1
        try bytes.write(to: URL(filePath: path))
        let damaged = try await Program.run("models", "--verify", "org/model", home: home)
        #expect(damaged.code == 1)
        #expect(damaged.isOneClearLine)
        #expect(damaged.words.contains("wrong content: sha256 expected"))
    }

    @Test(.enabled(if: Machine.has("python3"), "python3 serves the files"))
    func aWrongDigestIsNeverInstalled() async throws {
        let hub = try await StaticHub(), home = try TemporaryFolder()
        try hub.add(wrongDigest: true)
        let run = try await Program.run("pull", "org/model", home: home, environment: ["HF_ENDPOINT": hub.endpoint])
        #expect(run.code == 1)
        let last = run.words.split(separator: "\n").last ?? ""
        #expect(last.hasPrefix("fovea: ") && last.contains("wrong content: sha256 expected"))
        #expect(!FileManager.default.fileExists(atPath: home.path(".local/share/fovea/models/org--model")))
    }

    @Test func aServerThatIsNotThereIsSaidSo() async throws {
        let run = try await Program.run("pull", "org/model", environment: ["HF_ENDPOINT": "http://127.0.0.1:9"])
        #expect(run.code == 1)
        #expect((run.words.split(separator: "\n").last ?? "").contains("no connection"))
    }

    @Test func ctrlCStopsAPullWithACodeOfItsOwn() async throws {
        // A server that accepts and never answers.
        let socket = try SilentServer()
        let run = try await Program.run(
            "pull", "org/model", environment: ["HF_ENDPOINT": "http://127.0.0.1:\(socket.port)"], seconds: 30,
            interruptAfter: 1)
        #expect(run.code == 130)
        #expect(run.signal == nil)
        #expect(run.words.contains("stopped"))
    }
}
