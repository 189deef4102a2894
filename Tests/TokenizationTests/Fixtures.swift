import Foundation

/// The reference fixtures: the large set under `FOVEA_SHARED` or `../shared` beside the package, else the small one in
/// `Tests/Fixtures`.
enum Fixtures {
    private static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    static let shared =
        ProcessInfo.processInfo.environment["FOVEA_SHARED"].map { URL(fileURLWithPath: $0, isDirectory: true) }
        ?? package.deletingLastPathComponent().appendingPathComponent("shared", isDirectory: true)
    private static let large = shared.appendingPathComponent("fixtures/models", isDirectory: true)
    static let models =
        arePresent ? large : package.appendingPathComponent("Tests/Fixtures/models", isDirectory: true)
    static let vocabularies = shared.appendingPathComponent("data/vocab", isDirectory: true)

    static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }
    /// The presence of the large set.
    static var arePresent: Bool { exists(large) }
    static var vocabulariesArePresent: Bool { exists(vocabularies) }

    /// Model folders (relative to `models`) that hold the given file.
    static func folders(with file: String) -> [String] {
        func list(_ url: URL) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] }
        let all = list(models) + list(models.appendingPathComponent("tokenizers")).map { "tokenizers/\($0)" }
        return all.filter { exists(models.appendingPathComponent("\($0)/\(file)")) }.sorted()
    }

    static func folder(_ name: String) -> URL { models.appendingPathComponent(name, isDirectory: true) }

    static func json<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(contentsOf: models.appendingPathComponent(path)))
    }

    /// The tokenizer.json of a published model, in a folder of that name under `FOVEA_MODELS`; `nil` when it is not there.
    static func published(_ name: String) -> URL? {
        guard let root = ProcessInfo.processInfo.environment["FOVEA_MODELS"] else { return nil }
        let file = URL(fileURLWithPath: root).appendingPathComponent("\(name)/tokenizer.json")
        return exists(file) ? file : nil
    }
}
