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
