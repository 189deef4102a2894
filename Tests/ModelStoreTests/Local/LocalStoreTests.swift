import Checkpoint
import Foundation
import JSON
import TestSupport
import Testing

@testable import ModelStore

/// Stores of other programs: the fixtures are listed as their expectation says, and opened by name where they lie.
@Suite(.needsLargeFixtures) struct LocalStoreTests {
    let home: TemporaryFolder
    let store: ModelStore
    let expected: JSONReader

    /// The fixtures with links: a copy of them may hold files with the target of the link in its place.
    private static let fixtures: Result<TemporaryFolder, any Error> = Result {
        let copy = try TemporaryFolder(), source = Fixtures.model("stores")
        for name in try FileManager.default.subpathsOfDirectory(atPath: source.path).sorted() {
            let from = source.appending(path: name), to = copy.url.appending(path: name)
            if from.hasDirectoryPath || (try? FileManager.default.contentsOfDirectory(atPath: from.path)) != nil {
                try FileManager.default.createDirectory(at: to, withIntermediateDirectories: true)
                continue
            }
            let link = try? FileManager.default.destinationOfSymbolicLink(atPath: from.path)
            let data = link == nil ? try Data(contentsOf: from) : Data()
            let text = link ?? (data.count < 200 ? String(decoding: data, as: UTF8.self) : "")
            guard text.hasPrefix("../") else {
                try data.write(to: to)
                continue
            }
            let target = from.deletingLastPathComponent().appending(path: text).standardized.path
            try FileManager.default.createSymbolicLink(
                atPath: to.path, withDestinationPath: target.hasPrefix(source.path + "/") ? text : target)
        }
        return copy
    }

    /// A home whose stores are links to the fixtures.
    init() throws {
        home = try TemporaryFolder()
        let fixtures = try Self.fixtures.get().url
        for (place, name) in [
            (".ollama/models", "ollama"), (".cache/huggingface/hub", "huggingface"), (".lmstudio/models", "lmstudio"),
            (".cache/whisper", "whisper"),
        ] {
            let url = home.url.appending(path: place)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(at: url, withDestinationURL: fixtures.appending(path: name))
        }
        store = ModelStore(root: home.path("models"), environment: ["HOME": home.url.path])
        expected = try JSONReader(contentsOf: fixtures.appending(path: "expected.json").path)
    }

    /// The error of opening a model; `nil` if it opens.
    private func problem(of model: LocalModel) -> String? {
        if let problem = model.problem { return problem }
        do {
            for path in model.location.paths { _ = try Checkpoint.open(path) }
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: ["ollama", "huggingface", "lmstudio", "whisper"]) func storesAreListedExactly(key: String) throws {
        let found = store.found().filter { $0.origin.rawValue == key }
        var names: Set<String> = []
        for model in try expected.object(key).member("models").elements() {
            let name = try model.string("name"), files = try model.objectIfPresent("files")
            // Quantizations in one folder are models of their own.
            let quantizations = files?.members.keys.filter { $0.hasPrefix("Q") } ?? []
            for label in quantizations.isEmpty ? [nil] : quantizations.map(Optional.some) {
                let full = label.map { "\(name):\($0)" } ?? name
                names.insert(full)
                let local = try #require(found.first { $0.name == full }, "\(full) is not listed")
                let problem = problem(of: local)
                #expect((problem == nil) == (try model.string("state") == "whole"), "\(full): \(problem ?? "opens")")
                guard problem == nil else { continue }
                if let folder = try model.stringIfPresent("folder") {
                    #expect(local.location.path.hasSuffix("/" + folder))
                }
                if let file = try files?.stringIfPresent(label ?? "model") {
                    #expect(local.location.path.hasSuffix("/" + file), "\(full)")
                    #expect(local.byteCount >= ModelStore.size(ofFile: local.location.path) ?? .max)
                }
                #expect(
                    local.location.projector.map { $0.split(separator: "/").last.map(String.init) ?? "" }
                        == (try files?.stringIfPresent("projector").map {
                            $0.split(separator: "/").last.map(String.init) ?? ""
                        }))
            }
        }
        let unfinished = try expected.object(key).memberIfPresent("unfinished")?.elements() ?? []
        #expect(found.filter { !names.contains($0.name) }.count == unfinished.count)
        #expect(found.filter { !names.contains($0.name) }.allSatisfy { $0.problem?.contains("interrupted") == true })
    }

    @Test(arguments: [
        ("tiny-lost:latest", "blob of the model layer is missing"),
        ("tiny-short", "has 1024 of the 4096 bytes"), ("tiny-garbled", "manifest cannot be read"),
        ("tiny-tensors", "layers of the type tensor"),
        ("org/tiny-unfinished", "the link of model.safetensors leads nowhere: its download was interrupted"),
        ("other-publisher/tower-only-GGUF", "without the text model"),
    ])
    func brokenModelsSayWhy(name: String, reason: String) {
        #expect { try store.resolve(name) } throws: { "\($0)".contains(reason) }
    }

    @Test(arguments: [
        ("tiny-llama", "blobs/sha256-f834"), ("tiny-llama:latest", "blobs/sha256-f834"),
        ("registry.ollama.ai/library/tiny-llama:latest", "blobs/sha256-f834"), ("TINY-LLAMA", "blobs/sha256-f834"),
        ("ollama:tiny-llama", "blobs/sha256-f834"), ("hf.co/tiny-org/tiny-llama-GGUF:Q4_0", "blobs/sha256-05fd"),
        ("tiny-llava", "blobs/sha256-be38"), ("org/tiny-t5", "snapshots/bf55e75f"),
        ("org/tiny-llama3", "snapshots/7433c905"), ("tiny-publisher/tiny-llama-GGUF:q5_1", "tiny-llama-Q5_1.gguf"),
        ("tiny-publisher/tiny-llama-GGUF/tiny-llama-Q4_0.gguf", "tiny-llama-Q4_0.gguf"),
        ("tiny-publisher/tiny-Qwen2-VL-GGUF", "tiny-Qwen2-VL-F32.gguf"), ("whisper:tiny", "whisper/tiny.pt"),
    ])
    func modelsOpenByTheNamesTheirOwnersKnow(name: String, path: String) throws {
        let location = try store.resolve(name)
        #expect(location.path.contains(path))
        #expect(!(try Checkpoint.open(location.path)).names.isEmpty)
    }

    @Test(arguments: [
        ("tiny-publisher/tiny-llama-GGUF", "tiny-publisher/tiny-llama-GGUF:Q4_0, tiny-publisher/tiny-llama-GGUF:Q5_1"),
        ("tiny-mllama", "tiny-mllama:11b, tiny-mllama:11b-old"),
    ])
    func ambiguousNamesListTheChoices(name: String, choices: String) throws {
        #expect { try store.resolve(name) } throws: { "\($0)".contains(choices) }
    }

    @Test func llamaCppManifestsNameTheirFiles() throws {
        let url = home.url.appending(path: ".cache/llama.cpp")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        let model = try Data(contentsOf: Fixtures.models.appending(path: "gguf/llama-q4_0.gguf"))
        try model.write(to: url.appending(path: "org_tiny-t5_sub_x.gguf"))
        try Data(#"{"ggufFile": {"rfilename": "sub/x.gguf"}}"#.utf8).write(
            to: url.appending(path: "manifest=org=tiny-t5=latest.json"))
        #expect(try store.resolve("llama.cpp:org/tiny-t5").path.hasSuffix("org_tiny-t5_sub_x.gguf"))
        #expect(try store.resolve("huggingface:org/tiny-t5").path.contains("snapshots"))
        #expect(try store.resolve("org/tiny-t5:latest").path.hasSuffix("org_tiny-t5_sub_x.gguf"))
    }

    @Test func oneNameOfTwoModelsIsAmbiguous() throws {
        let url = home.url.appending(path: ".cache/lm-studio/models/org/tiny-t5")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try Data([0]).write(to: url.appending(path: "x.gguf"))
        #expect { try store.resolve("org/tiny-t5") } throws: {
            "\($0)".contains("give one of huggingface:org/tiny-t5, lmstudio:org/tiny-t5")
        }
        #expect(try store.resolve("lmstudio:org/tiny-t5").path.hasSuffix("x.gguf"))
    }

    @Test func settingsChooseTheFolders() throws {
        let fixtures = try Self.fixtures.get().url
        func names(_ environment: [String: String]) -> Set<String> {
            Set(LocalStores(environment: environment).models().map(\.name))
        }
        let empty = home.path("empty")
        #expect(
            names(["HOME": empty, "OLLAMA_MODELS": fixtures.appending(path: "ollama").path])
                .contains("tiny-llama:latest"))
        for variable in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"] {
            #expect(
                names(["HOME": empty, variable: fixtures.appending(path: "huggingface").path]).contains("org/tiny-t5"))
        }
        #expect(names(["HOME": empty, "HF_HOME": home.path(".cache/huggingface")]).contains("org/tiny-t5"))
        #expect(names(["HOME": empty, "XDG_CACHE_HOME": home.path(".cache")]).contains("base.en"))
        #expect(names(["HOME": empty]).isEmpty)
    }

    /// Manifests, references and links that lead out of a store.
    @Test func hostileStoresStayWithinThemselves() throws {
        let outside = try home.write("secret", to: "outside")
        let root = home.url.appending(path: "hostile")
        func put(_ path: String, _ text: String) throws {
            let url = root.appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        let layer = #"{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"DIGEST","size":6}]}"#
        for (index, digest) in [
            "sha256:../../../outside", "../../outside", "sha256:" + String(repeating: "g", count: 64),
        ]
        .enumerated() {
            try put("ollama/manifests/h/n/m/t\(index)", layer.replacing("DIGEST", with: digest))
        }
        try put("ollama/manifests/h/n/m/large", String(repeating: " ", count: 2 << 20))
        try put("ollama/manifests/h/n/m/negative", #"{"layers":[{"mediaType":"x","digest":"y","size":-1}]}"#)
        try put("hub/models--a--b/refs/main", "../../../outside")
        try put("hub/models--a--c/refs/main", String(repeating: "0", count: 40))
        try put("hub/models--a--d/snapshots/x/config.json", "{}")
        try put("llama/manifest=a=b=c.json", #"{"ggufFile": {"rfilename": "../../outside"}}"#)
        try put("llama/manifest=a=b=d.json", "[")
        let models = LocalStores(environment: [
            "HOME": home.path("empty"), "OLLAMA_MODELS": root.path + "/ollama", "HF_HUB_CACHE": root.path + "/hub",
            "LLAMA_CACHE": root.path + "/llama",
        ]).models()
        #expect(models.count >= 9)
        for model in models where model.name != "a/d" {
            #expect(model.problem != nil, "\(model.name)")
            #expect(model.location.paths.allSatisfy { !$0.contains(outside) && !$0.contains("/../") }, "\(model)")
        }
    }

    @Test func nothingIsWritten() throws {
        func state() throws -> [String] {
            let root = try Self.fixtures.get().url.path
            return try FileManager.default.subpathsOfDirectory(atPath: root).sorted().map { path in
                let facts = try FileManager.default.attributesOfItem(atPath: root + "/" + path)
                return "\(path) \(facts[.size] ?? 0) \(facts[.modificationDate] ?? "")"
            }
        }
        let before = try state()
        for model in store.found() { _ = problem(of: model) }
        #expect(try state() == before)
    }
}
