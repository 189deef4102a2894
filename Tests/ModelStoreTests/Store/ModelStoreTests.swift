import ModelStore

import Checkpoint
import Foundation
import TestSupport
import Testing

@testable import ModelStore

/// Names, places, and what the catalogue promises.
@Suite struct ModelStoreTests {
    @Test func theStoreFollowsTheXDGSpecification() {
        #expect(ModelStore.standard(environment: ["HOME": "/h"]).root == "/h/.local/share/fovea/models")
        #expect(
            ModelStore.standard(environment: ["HOME": "/h", "XDG_DATA_HOME": "/data"]).root == "/data/fovea/models")
        #expect(
            ModelStore.standard(environment: ["HOME": "/h", "XDG_DATA_HOME": "relative"]).root
                == "/h/.local/share/fovea/models")
        #expect(
            ModelStore.standard(environment: ["HOME": "/h", "XDG_DATA_HOME": ""]).root == "/h/.local/share/fovea/models"
        )
    }

    @Test(arguments: ["nonsense", "a/b/c", "../x", "a/..", "/a", "a/", "a/.b", "a b/c", "a/b:../c", "a/b:", "", "é/x"])
    func impossibleNames(name: String) {
        #expect { try ModelName(name) } throws: {
            "\($0)".contains("whisper-tiny.en") && "\($0)".contains("owner/repo")
        }
    }

    @Test func possibleNames() throws {
        #expect(try ModelName("whisper-base").folder == "whisper-base")
        #expect(try ModelName("openai/whisper-tiny.en").folder == "openai--whisper-tiny.en")
        #expect(try ModelName("a/b:c.gguf").description == "a/b:c.gguf")
    }

    @Test func shortNamesAreThoseOfRepositories() throws {
        #expect(try ModelName("flan-t5-small").description == "google/flan-t5-small")
        #expect(HubEntry.all.count >= 30)
        #expect(Set(Catalogue.names).count == Catalogue.names.count)
        for entry in HubEntry.all {
            #expect(try ModelName(entry.name).description == entry.repository)
            #expect(entry.byteCount > 0 && !entry.license.isEmpty && !entry.summary.isEmpty)
        }
    }

    @Test func resolvingWhatAPersonTypes() throws {
        let folder = try TemporaryFolder()
        let store = ModelStore(root: folder.path("models"), environment: [:])
        #expect { try store.resolve("whisper-base") } throws: { "\($0)".contains("fovea pull whisper-base") }
        #expect { try store.resolve("whisper-bass") } throws: { "\($0)".contains("no model is called") }
        #expect { try store.resolve("/absent/x") } throws: {
            "\($0)".contains("neither a file or folder nor an installed model")
        }
        #expect(try store.resolve(folder.url.path).path == folder.url.path)
        try FileManager.default.createDirectory(
            atPath: folder.path("models/whisper-base"), withIntermediateDirectories: true)
        #expect(try store.resolve("whisper-base").path == folder.path("models/whisper-base"))
        #expect(store.installed().map(\.name) == ["whisper-base"])
        #expect(store.installed()[0].manifest == nil)
    }

    @Test func modelsThatCameWithTheProgram() throws {
        let folder = try TemporaryFolder()
        func put(_ path: String, _ text: String) throws {
            let url = folder.url.appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: url)
        }
        try put("second/config.json", "{}")
        try put(
            "second/fovea.json", #"{"summary": "s", "licence": "MIT", "order": 2, "sample": {"questions": ["a", "b"]}}"#
        )
        try put("first/config.json", "12345")
        try put(
            "first/fovea.json",
            #"{"summary": "f", "licence": "MIT", "order": 1, "sample": {"picture": "p.png", "questions": ["?"]}}"#)
        try put("hostile/config.json", "{}")
        try put(
            "hostile/fovea.json",
            #"{"summary": "h", "licence": "MIT", "order": 3, "sample": {"picture": "../../etc/passwd", "questions": []}}"#
        )
        try put("recipe/README.md", "no model")
        try put("untrained/recipe/train.py", "no model yet")
        try put("broken/config.json", "{}")
        try put("broken/fovea.json", "{")
        let models = BundledModel.all(in: folder.url.path)
        #expect(models.map(\.name) == ["first", "second", "hostile"])
        #expect(
            models[0].sample == ModelSample(picture: models[0].path + "/p.png", questions: ["?"])
                && models[1].sample?.picture == nil)
        #expect(models[2].sample?.picture == nil)
        #expect(
            models[0].byteCount == 5
                + Int(
                    try FileManager.default.attributesOfItem(atPath: models[0].path + "/fovea.json")[.size] as? Int ?? 0
                ))
        let store = ModelStore(root: folder.path("store"), environment: [:], bundled: models)
        #expect(try store.resolve("second").path == models[1].path)
        #expect { try store.resolve("third") } throws: { "\($0)".contains("first") }
    }

    @Test(arguments: Catalogue.all) func catalogueEntriesAreConsistent(entry: CatalogueEntry) {
        #expect(Set(entry.files.map(\.name)).count == entry.files.count)
        for file in entry.files {
            #expect(file.digest.hexadecimal.count == 64)
            let parts = entry.wheels.flatMap(\.members).filter { $0.target == file.name }
            #expect(parts.reduce(0) { $0 + $1.byteCount } == file.byteCount, "\(entry.name) \(file.name)")
        }
        #expect(entry.wheels.allSatisfy { $0.sha256.count == 64 && $0.byteCount > 0 })
        #expect(FileNames.isPlain(entry.name))
    }

    /// The figures in the catalogue against the files themselves, where they are on this machine.
    @Test(
        .enabled(if: Catalogue.all.contains { Fixtures.realModel($0.name) != nil }),
        arguments: Catalogue.all.filter { Fixtures.realModel($0.name) != nil })
    func catalogueFiguresAreThoseOfTheFiles(entry: CatalogueEntry) throws {
        let folder = try #require(Fixtures.realModel(entry.name))
        for file in entry.files { try ModelStore.verify(file, in: folder.path) }
        _ = try Checkpoint.open(folder.path)
    }
}

/// Pulls over the real network, only when asked to: `FOVEA_TEST_NETWORK=1`, with `FOVEA_TEST_PULL` naming the model.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_TEST_NETWORK"] == "1")) struct NetworkPullTests {
    @Test func aCatalogueModelArrives() async throws {
        let home = try TemporaryFolder()
        let name = ProcessInfo.processInfo.environment["FOVEA_TEST_PULL"] ?? "whisper-tiny.en"
        let store = ModelStore(root: home.path("models"))
        var phases: [PullProgress.Phase] = []
        var partial = 0
        for try await report in store.pull(name) {
            if phases.last != report.phase { phases.append(report.phase) }
            if report.phase == .downloading, let fraction = report.fraction, fraction > 0, fraction < 1 { partial += 1 }
        }
        #expect(phases.first == .resolving && phases.last == .installed)
        #expect(partial > 0, "progress was seen on the way")
        try store.verify(name)
        #expect(!(try Checkpoint.open(try store.resolve(name).path).names.isEmpty))
    }
}
