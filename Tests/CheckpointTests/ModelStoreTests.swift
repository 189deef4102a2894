@testable import Checkpoint
import Foundation
import TestSupport
import Testing

/// Names, places, and what the catalogue promises.
@Suite struct ModelStoreTests {
    @Test func theStoreFollowsTheXDGSpecification() {
        #expect(ModelStore.standard(environment: ["HOME": "/h"]).root == "/h/.local/share/fovea/models")
        #expect(ModelStore.standard(environment: ["HOME": "/h", "XDG_DATA_HOME": "/data"]).root == "/data/fovea/models")
        #expect(ModelStore.standard(environment: ["HOME": "/h", "XDG_DATA_HOME": "relative"]).root == "/h/.local/share/fovea/models")
        #expect(ModelStore.standard(environment: ["HOME": "/h", "XDG_DATA_HOME": ""]).root == "/h/.local/share/fovea/models")
    }

    @Test(arguments: ["nonsense", "a/b/c", "../x", "a/..", "/a", "a/", "a/.b", "a b/c", "a/b:../c", "a/b:", "", "é/x"])
    func impossibleNames(name: String) {
        #expect { try ModelName(name) } throws: { "\($0)".contains("whisper-tiny.en") && "\($0)".contains("owner/repo") }
    }

    @Test func possibleNames() throws {
        #expect(try ModelName("whisper-base").folder == "whisper-base")
        #expect(try ModelName("openai/whisper-tiny.en").folder == "openai--whisper-tiny.en")
        #expect(try ModelName("a/b:c.gguf").description == "a/b:c.gguf")
    }

    @Test func resolvingWhatAPersonTypes() throws {
        let folder = try TemporaryFolder()
        let store = ModelStore(root: folder.path("models"), environment: [:])
        #expect { try store.resolve("whisper-base") } throws: { "\($0)".contains("fovea pull whisper-base") }
        #expect { try store.resolve("whisper-bass") } throws: { "\($0)".contains("no model is called") }
        #expect { try store.resolve("/absent/x") } throws: { "\($0)".contains("neither a file or folder nor an installed model") }
        #expect(try store.resolve(folder.url.path) == folder.url.path)
        try FileManager.default.createDirectory(atPath: folder.path("models/whisper-base"), withIntermediateDirectories: true)
        #expect(try store.resolve("whisper-base") == folder.path("models/whisper-base"))
        #expect(store.installed().map(\.name) == ["whisper-base"])
        #expect(store.installed()[0].manifest == nil)
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
    @Test(arguments: Catalogue.all.filter { Fixtures.realModel($0.name) != nil })
    func catalogueFiguresAreThoseOfTheFiles(entry: CatalogueEntry) throws {
        let folder = try #require(Fixtures.realModel(entry.name))
        for file in entry.files { try ModelStore.verify(file, in: folder.path) }
        _ = try Checkpoint.open(folder.path)
    }
}
