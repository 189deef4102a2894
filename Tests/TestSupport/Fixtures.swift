import Checkpoint
import Foundation

/// # TestSupport
///
/// Where the reference fixtures lie and how to compare with them.
///
/// The fixtures are found by the environment variable `FOVEA_SHARED`, else in `shared` beside the package. Tests that
/// need them are declared `.enabled(if: Fixtures.available)`, so that their absence shows as a skip.
package enum Fixtures {
    /// The folder that holds `fixtures/` and `data/`; `nil` when there is none.
    package static let shared: URL? = {
        let candidate =
            if let path = ProcessInfo.processInfo.environment["FOVEA_SHARED"] {
                URL(filePath: path)
            } else {
                packageRoot.deletingLastPathComponent().appending(path: "shared")
            }
        return FileManager.default.fileExists(atPath: candidate.appending(path: "fixtures/models").path)
            ? candidate : nil
    }()

    /// The folder of Package.swift.
    package static let packageRoot = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    package static var available: Bool { shared != nil }

    /// The folder of the tiny models. Only for tests that are enabled by `available`.
    package static var models: URL {
        guard let shared else {
            preconditionFailure("fixtures are absent: declare the test .enabled(if: Fixtures.available)")
        }
        return shared.appending(path: "fixtures/models")
    }

    /// Recordings, photographs and text for trying things out.
    package static var data: URL {
        guard let shared else {
            preconditionFailure("fixtures are absent: declare the test .enabled(if: Fixtures.available)")
        }
        return shared.appending(path: "data")
    }

    /// The folder of one tiny model.
    package static func model(_ name: String) -> URL { models.appending(path: name) }

    /// The reference values of one model: `golden("whisper-80")`, `golden("gguf/dequant")`.
    package static func golden(_ name: String) throws -> Golden { try Golden(folder: models.appending(path: name)) }

    /// A real checkpoint: in a folder of this name under `FOVEA_TEST_MODELS`, or where `fovea pull` puts it. `nil` when
    /// it is not on this machine.
    package static func realModel(_ name: String) -> URL? {
        let environment = ProcessInfo.processInfo.environment
        var places: [URL] = []
        if let folder = environment["FOVEA_TEST_MODELS"] { places.append(URL(filePath: folder)) }
        let dataHome =
            environment["XDG_DATA_HOME"].map { URL(filePath: $0) }
            ?? FileManager.default.homeDirectoryForCurrentUser.appending(path: ".local/share")
        places.append(dataHome.appending(path: "fovea/models"))
        return places.map { $0.appending(path: name) }.first { FileManager.default.fileExists(atPath: $0.path) }
    }
}

/// A folder for one test's files, deleted when the value is released.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "fovea-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The path of a file in the folder.
    package func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a file and returns its path.
    package func write(_ bytes: some Sequence<UInt8>, to name: String) throws -> String {
        try Data(bytes).write(to: url.appending(path: name))
        return path(name)
    }

    package func write(_ text: String, to name: String) throws -> String { try write(text.utf8, to: name) }
}
