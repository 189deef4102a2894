import ModelStore

import Checkpoint
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ModelStore

/// Pulling `owner/repo` from a hub on this machine.
@Suite(.enabled(if: DownloadServer.python != nil), .serialized) struct HubPullTests {
    let server: DownloadServer
    let home: TemporaryFolder
    let weights: [UInt8]

    init() throws {
        server = try DownloadServer()
        home = try TemporaryFolder()
        weights = SafetensorsBytes.file(
            header: #"{"a":{"dtype":"U8","shape":[20000],"data_offsets":[0,20000]}}"#,
            data: (0..<20000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) })
    }

    private func store(_ more: [String: String] = [:]) -> ModelStore {
        var environment = ["HF_ENDPOINT": server.endpoint, "PATH": "/usr/bin:/bin"]
        environment.merge(more) { $1 }
        return ModelStore(root: home.path("models"), environment: environment)
    }

    private func fill(_ repository: String) throws {
        try server.add(repository, "model.safetensors", weights)
        try server.add(repository, "config.json", #"{"model_type":"t5"}"#.utf8)
        try server.add(repository, "modeling_x.py", "import os".utf8)
        try server.add(repository, "pytorch_model.bin", [1, 2, 3])
    }

    private func pull(_ name: String, store: ModelStore? = nil) async throws -> [PullProgress] {
        var reports: [PullProgress] = []
        for try await report in (store ?? self.store()).pull(name) { reports.append(report) }
        return reports
    }

    private func complaint(_ name: String, store: ModelStore? = nil) async -> String {
        do {
            _ = try await pull(name, store: store)
            return "nothing was thrown"
        } catch {
            return "\(type(of: error)): \(error)"
        }
    }

    @Test func aModelArrivesVerifiedAndOpens() async throws {
        try fill("org/good")
        let store = store()
        let reports = try await pull("org/good", store: store)
        #expect(reports.first?.phase == .resolving)
        #expect(reports.last?.phase == .installed)
        let downloading = reports.filter { $0.phase == .downloading }
        #expect(downloading.last?.receivedBytes == weights.count + 19)
        #expect(downloading.allSatisfy { $0.totalBytes == weights.count + 19 })
        #expect(zip(downloading, downloading.dropFirst()).allSatisfy { $0.receivedBytes <= $1.receivedBytes })

        let folder = try store.resolve("org/good").path
        #expect(
            Set(try FileManager.default.contentsOfDirectory(atPath: folder)) == [
                "model.safetensors", "config.json", ".fovea-model.json",
            ])
        #expect(try Checkpoint.open(folder).integers("a").count == 20000)
        #expect(store.installed().map(\.name) == ["org/good"])
        try store.verify("org/good")
        #expect(!server.requests.contains { $0.contains("Bearer") })
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: home.path("models/.partial")).filter {
                !$0.hasSuffix(".lock")
            }.isEmpty)

        // A second pull finds everything in place and asks nobody.
        let before = server.requests.count
        #expect(try await pull("org/good", store: store).map(\.phase) == [.installed])
        #expect(server.requests.count == before)

        // Damage afterwards is found.
        try Data([0]).write(to: URL(filePath: folder + "/config.json"))
        #expect { try store.verify("org/good") } throws: { "\($0)".contains("1 bytes, expected 19") }
        try Data(#"{"model_type":"T5"}"#.utf8).write(to: URL(filePath: folder + "/config.json"))
        #expect { try store.verify("org/good") } throws: { "\($0)".contains("git blob sha1 expected") }
    }

    @Test func aCutConnectionIsResumed() async throws {
        try fill("org/cut-7000")
        _ = try await pull("org/cut-7000")
        let ranges = server.requests.filter { $0.contains("model.safetensors") }.map { $0.split(separator: " ")[1] }
        #expect(ranges == ["-", "bytes=7000-", "bytes=14000-"])
    }

    @Test func aServerWithoutRangesIsReadFromTheStart() async throws {
        try fill("org/norange")
        let store = store()
        _ = try await pull("org/norange", store: store)
        try store.verify("org/norange")
    }

    @Test func anEarlierAttemptIsContinued() async throws {
        try fill("org/good")
        let partial = home.path("models/.partial/org--good/files")
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)
        try Data(weights.prefix(12345)).write(to: URL(filePath: partial + "/model.safetensors.part"))
        _ = try await pull("org/good")
        #expect(server.requests.contains { $0.contains("bytes=12345-") })
        #expect(!server.requests.contains { $0.contains("model.safetensors -") })
    }

    @Test func aWrongBeginningIsReplaced() async throws {
        try fill("org/good")
        let partial = home.path("models/.partial/org--good/files")
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: true)
        try Data([UInt8](repeating: 9, count: 500)).write(to: URL(filePath: partial + "/model.safetensors.part"))
        let store = store()
        _ = try await pull("org/good", store: store)
        try store.verify("org/good")
    }

    @Test func wrongBytesAreRefused() async throws {
        try fill("org/wrong")
        let text = await complaint("org/wrong")
        #expect(text.contains("wrong content: sha256 expected") && text.contains("actual"))
        #expect(store().installed().isEmpty)
    }

    @Test func moreBytesThanAnnouncedAreRefused() async throws {
        try fill("org/long")
        #expect(await complaint("org/long").contains("bytes, expected"))
    }

    @Test func absentRepositories() async {
        #expect(await complaint("org/absent").contains("org/absent: not found; check the spelling"))
    }

    @Test func tokens() async throws {
        try fill("org/gated")
        #expect(await complaint("org/gated").contains("set HF_TOKEN"))
        #expect(
            await complaint("org/gated", store: store(["HF_TOKEN": "bad"])).contains("token in HF_TOKEN is not valid"))
        _ = try await pull("org/gated", store: store(["HF_TOKEN": "secret"]))
    }

    @Test func credentialsInTheEndpoint() async throws {
        try fill("org/gated")
        let login = server.endpoint.replacingOccurrences(of: "http://", with: "http://user:secret@") + "/"
        let store = store(["HF_ENDPOINT": login])
        _ = try await pull("org/gated", store: store)
        let folder = try store.resolve("org/gated").path
        #expect(try ModelManifest(folder: folder).source == "\(server.endpoint)/org/gated@0123abcd")
        let wrong = login.replacingOccurrences(of: "secret", with: "hunter2")
        try FileManager.default.removeItem(atPath: folder)
        let text = await complaint("org/gated", store: self.store(["HF_ENDPOINT": wrong]))
        #expect(text.contains("access refused") && !text.contains("hunter2"))
        let odd = await complaint("org/gated", store: self.store(["HF_ENDPOINT": "ftp://user:hunter2@host"]))
        #expect(odd.contains("HF_ENDPOINT is not an address") && !odd.contains("hunter2"))
    }

    @Test func tokensStayWithTheirHost() async throws {
        try fill("org/moved")
        let store = store(["HF_TOKEN": "secret"])
        _ = try await pull("org/moved", store: store)
        let port = server.endpoint.split(separator: ":").last ?? ""
        let files = server.requests.filter { $0.contains("resolve") }
        #expect(files.contains { !$0.hasSuffix(" \(port)") }, "the redirection was followed")
        #expect(files.allSatisfy { $0.contains("Bearer secret") == $0.hasSuffix(" \(port)") })
    }

    @Test func passingTroubleIsWaitedOut() async throws {
        try fill("org/flaky")
        let store = store()
        #expect(try await pull("org/flaky", store: store).last?.phase == .installed)
        try store.verify("org/flaky")
        #expect(server.requests.filter { $0.hasPrefix("/api/models/org/flaky") }.count == 3)
    }

    @Test func lastingTroubleIsNamed() async throws {
        try fill("org/broken")
        #expect(await complaint("org/broken").contains("the server answered 500"))
        try fill("org/html")
        #expect(await complaint("org/html").contains("it is not JSON"))
    }

    @Test func noNetwork() async {
        // Nothing listens on port 9 of this machine.
        let text = await complaint("org/good", store: store(["HF_ENDPOINT": "http://127.0.0.1:9"]))
        #expect(text.contains("no connection while fetching org/good"))
        #expect(await complaint("org/good", store: store(["HF_ENDPOINT": "ftp://x"])).contains("HF_ENDPOINT"))
    }

    @Test(arguments: [
        "../../evil.safetensors", "/etc/cron.d/x", "a/../../x.json", "config\\u0000.json", "..\\\\evil.json",
        "a:b.json",
    ])
    func hostileFileNamesAreRefused(name: String) async throws {
        let listing =
            #"{"sha":"ab","siblings":[{"rfilename":"\#(name)","size":1,"blobId":"00"},{"rfilename":"model.safetensors","size":1,"blobId":"00"}]}"#
        try server.add("org/hostile", "listing.raw", listing.utf8)
        #expect(await complaint("org/hostile").contains("would lie outside"))
    }

    @Test(arguments: [
        (#"{"siblings":7}"#, "lists no files"), (#"{"siblings":[{"x":1}]}"#, "without a name"),
        (#"{"siblings":[{"rfilename":"model.safetensors"}]}"#, "size or digest of model.safetensors is missing"),
        (#"{"siblings":[{"rfilename":"model.safetensors","size":-5,"blobId":"00"}]}"#, "size or digest"),
        (#"{"siblings":[{"rfilename":"model.safetensors","size":1000000000000000,"blobId":"00"}]}"#, "size or digest"),
        (#"{"siblings":[{"rfilename":"model.safetensors","size":60000000000000,"blobId":"00"}]}"#, "not enough room"),
        (#"{"sha":"../x","siblings":[{"rfilename":"model.safetensors","size":1,"blobId":"00"}]}"#, "revision"),
        (#"{"siblings":[{"rfilename":"a.gguf"},{"rfilename":"b.gguf"}]}"#, "org/odd:a.gguf"),
        (#"{"siblings":[{"rfilename":"pytorch_model.bin"}]}"#, "size or digest of pytorch_model.bin is missing"),
        (
            #"{"siblings":[{"rfilename":"m-Q4_0-00001-of-00002.gguf"}]}"#,
            "m-Q4_0-00002-of-00002.gguf of the model is missing"
        ),
        (#"{"siblings":[{"rfilename":"ggml-a.bin"},{"rfilename":"ggml-b.bin"}]}"#, "org/odd:ggml-a.bin"),
        (#"{"siblings":[]}"#, "no safetensors, GGUF, CTranslate2, PyTorch or whisper.cpp weights"),
    ])
    func oddListingsAreRefused(listing: String, expected: String) async throws {
        try server.add("org/odd", "listing.raw", listing.utf8)
        let text = await complaint("org/odd")
        #expect(text.contains(expected), "\(text)")
    }

    /// Version 3 without tensors and keys.
    private static let emptyGGUF = Array("GGUF".utf8) + [3, 0, 0, 0] + [UInt8](repeating: 0, count: 24)

    @Test func oneOfSeveralFiles() async throws {
        for name in ["a.gguf", "b.gguf"] { try server.add("org/several", name, Self.emptyGGUF + name.utf8) }
        let store = store()
        _ = try await pull("org/several:b.gguf", store: store)
        let folder = try store.resolve("org/several:b.gguf").path
        #expect(try Checkpoint.open(folder).files == [folder + "/b.gguf"])
        #expect(await complaint("org/several:c.gguf").contains("no file c.gguf"))
    }

    private func files(_ names: [String: Int], chosen: String? = nil, memory: Int = 1000) throws -> Set<String> {
        let files = names.map { HubFile(path: $0.key, byteCount: $0.value, digest: .sha256("00")) }
        return Set(
            try HubSelection(repository: "org/x", chosen: chosen, memory: memory).choose(files).map(\.name))
    }

    @Test func oneQuantizationIsChosenByWhatFits() throws {
        let names = [
            "x-Q2_K.gguf": 200, "x-Q4_K_M.gguf": 400, "x-Q8_0.gguf": 700, "x-f16-00001-of-00002.gguf": 600,
            "x-f16-00002-of-00002.gguf": 600, "mmproj-x-f16.gguf": 50, "mmproj-x-f32.gguf": 100, "config.json": 1,
            "imatrix.dat": 9,
        ]
        let small: Set = ["mmproj-x-f16.gguf", "config.json"]
        #expect(try files(names) == small.union(["x-Q4_K_M.gguf"]))
        #expect(try files(names, memory: 300) == small.union(["x-Q2_K.gguf"]))
        #expect(try files(names, chosen: "q8_0") == small.union(["x-Q8_0.gguf"]))
        #expect(
            try files(names, chosen: "F16")
                == small.union(["x-f16-00001-of-00002.gguf", "x-f16-00002-of-00002.gguf"]))
        #expect(try files(names, chosen: "x-Q2_K.gguf") == small.union(["x-Q2_K.gguf"]))
        #expect { try files(names, memory: 100) } throws: {
            "\($0)".contains("none of its quantizations fits into 80 B")
        }
        #expect { try files(names, chosen: "Q5_K_M") } throws: {
            "\($0)".contains("quantizations F16, Q2_K, Q4_K_M, Q8_0")
        }
    }

    @Test func filesOfPyTorchAndWhisperCppAreChosen() throws {
        #expect(
            try files(["pytorch_model.bin": 9, "config.json": 1, "flax_model.msgpack": 9]) == [
                "pytorch_model.bin", "config.json",
            ])
        let shards = ["pytorch_model.bin.index.json": 1, "pytorch_model-1.bin": 9, "pytorch_model-2.bin": 9]
        #expect(try files(shards) == Set(shards.keys))
        #expect(try files(["ggml-base.bin": 9, "README.md": 1]) == ["ggml-base.bin", "README.md"])
        let several = ["ggml-base.bin": 9, "ggml-tiny.bin": 9]
        #expect(try files(several, chosen: "ggml-tiny.bin") == ["ggml-tiny.bin"])
        #expect(try files(["model.safetensors": 9, "pytorch_model.bin": 9]) == ["model.safetensors"])
    }

    @Test func theTokenFileOfTheHubIsUsed() async throws {
        try fill("org/gated")
        try FileManager.default.createDirectory(atPath: home.path("hf"), withIntermediateDirectories: true)
        _ = try home.write("bad\r\nX-Header: 1", to: "hf/token")
        let refusal = await complaint("org/gated", store: store(["HF_HOME": home.path("hf")]))
        #expect(refusal.contains("huggingface.co/org/gated") && refusal.contains("settings/tokens"))
        _ = try home.write("secret\n", to: "hf/token")
        _ = try await pull("org/gated", store: store(["HF_HOME": home.path("hf")]))
        #expect(server.requests.contains { $0.contains("Bearer secret") })
        // The variable comes first.
        let wrong = await complaint("org/gated2", store: store(["HF_HOME": home.path("hf"), "HF_TOKEN": "hunter2"]))
        #expect(!wrong.contains("hunter2") && !wrong.contains("secret"))
    }

    @Test func cancellationKeepsWhatArrived() async throws {
        try fill("org/slow")
        let store = store()
        let arrived = Mutex(0)
        let task = Task {
            try await store.pull(try ModelName("org/slow")) { report in
                if report.phase == .downloading { arrived.withLock { $0 = max($0, report.receivedBytes) } }
            }
        }
        while arrived.withLock({ $0 }) < 4000 { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: ModelStoreError.cancelled(name: "org/slow")) { try await task.value }
        let kept = ModelStore.size(ofFile: home.path("models/.partial/org--slow/files/model.safetensors.part")) ?? 0
        #expect(kept >= 3000 && kept < 20000)
        #expect(store.installed().isEmpty)
        _ = try await pull("org/slow", store: store)
        #expect(server.requests.contains { $0.contains("bytes=\(kept)-") })
    }

    @Test func twoPullsOfOneModelDoNotMix() async throws {
        try fill("org/slow")
        let store = store()
        let started = Mutex(false)
        let task = Task { try await store.pull(try ModelName("org/slow")) { _ in started.withLock { $0 = true } } }
        while !started.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        #expect(await complaint("org/slow", store: store).contains("another process is already pulling org/slow"))
        _ = try await task.value
    }

    @Test func anUnwritableStore() async throws {
        _ = try home.write("x", to: "file")
        let text = await complaint(
            "org/good", store: ModelStore(root: home.path("file/models"), environment: ["HF_ENDPOINT": server.endpoint])
        )
        #expect(text.contains("cannot write to") && text.contains("Not a directory"))
        let readOnly = await complaint(
            "org/good", store: ModelStore(root: "/proc/models", environment: ["HF_ENDPOINT": server.endpoint]))
        #expect(readOnly.contains("cannot write to /proc/models"))
    }
}
