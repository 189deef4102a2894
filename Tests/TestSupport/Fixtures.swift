import Checkpoint
import Foundation
import Testing

/// The reference fixtures: tiny random models, their inputs, and PyTorch's values for them.
///
/// The large set lies in the folder that the environment variable `FOVEA_SHARED` names, else in `shared` beside the
/// package. Where it is missing, `models` is the small set in `Tests/Fixtures`, which has one model per family. Tests
/// that need more are declared `.needsLargeFixtures`, so that its absence shows as a skip.
package enum Fixtures {
    /// The folder of the large set (`fixtures/`) and of sample data (`data/`); `nil` when there is none.
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

    /// The presence of the large set.
    package static var available: Bool { shared != nil }

    /// The folder of the tiny models: the large set's, else the small one's.
    package static let models =
        shared?.appending(path: "fixtures/models") ?? packageRoot.appending(path: "Tests/Fixtures/models")

    /// Recordings, photographs and text. Only for tests that need the large set.
    package static var data: URL {
        guard let shared else { preconditionFailure("no large fixtures: declare the test .needsLargeFixtures") }
        return shared.appending(path: "data")
    }

    /// The presence of one model or file, such as `whisper-80` or `gguf/t5-f16.gguf`.
    package static func contains(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: models.appending(path: path).path)
    }

    /// The folder of one tiny model.
    package static func model(_ name: String) -> URL { models.appending(path: name) }

    /// The reference values of one model: `golden("whisper-80")`, `golden("gguf/dequant")`.
    package static func golden(_ name: String) throws -> Golden { try Golden(folder: models.appending(path: name)) }

    /// The folder of a real checkpoint: under `FOVEA_TEST_MODELS`, else where `fovea pull` puts it; `nil` when it is
    /// not on this machine.
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

extension Trait where Self == ConditionTrait {
    /// Skips a test or suite where only the small fixtures are there.
    package static var needsLargeFixtures: Self {
        .enabled(if: Fixtures.available, "the large reference fixtures are not beside the checkout")
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
