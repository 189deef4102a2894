import Foundation
import JSON
import Media
import Testing

/// Where the reference fixtures lie, and a reader for the few tensors these tests compare with.
enum Fixtures {
    /// `FOVEA_SHARED`, else `../shared` beside the package.
    static let shared: URL = {
        if let path = ProcessInfo.processInfo.environment["FOVEA_SHARED"] { return URL(fileURLWithPath: path) }
        return URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("shared")
    }()
    static let models = shared.appendingPathComponent("fixtures/models")
    static let available = FileManager.default.fileExists(
        atPath: models.appendingPathComponent("inputs/audio.wav").path)

    static func input(_ name: String) -> String { models.appendingPathComponent("inputs/\(name)").path }

    static func golden(_ model: String) throws -> GoldenTensors {
        try GoldenTensors(url: models.appendingPathComponent("\(model)/golden.safetensors"))
    }

    static func preprocessorConfig(_ model: String) throws -> JSONReader {
        try JSONReader(contentsOf: models.appendingPathComponent("\(model)/preprocessor_config.json").path)
    }

    static func imageProcessor(_ model: String) throws -> any ImageProcessor {
        try ImageProcessors.make(ImageProcessorConfiguration(preprocessorConfig(model)))
    }
}

/// A safetensors file read whole.
struct GoldenTensors {
    struct Entry: Decodable {
        let dtype: String
        let shape: [Int]
        let data_offsets: [Int]
    }

    private let entries: [String: Entry]
    private let content: Data

    init(url: URL) throws {
        let data = try Data(contentsOf: url)
        let length = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            JSONSerialization.jsonObject(with: data.subdata(in: 8..<8 + length)) as? [String: Any])
        var entries: [String: Entry] = [:]
        for (name, value) in header where name != "__metadata__" {
            entries[name] = try JSONDecoder().decode(Entry.self, from: JSONSerialization.data(withJSONObject: value))
        }
        self.entries = entries
        content = data.subdata(in: 8 + length..<data.count)
    }

    func shape(_ name: String) throws -> [Int] { try #require(entries[name]).shape }

    func floats(_ name: String) throws -> [Float] { try values(name, dtype: "F32") }
    func bytes(_ name: String) throws -> [UInt8] { try values(name, dtype: "U8") }
    func integers(_ name: String) throws -> [Int] {
        try values(name, dtype: "I64").map { (value: Int64) in Int(value) }
    }

    private func values<Value: BitwiseCopyable>(_ name: String, dtype: String) throws -> [Value] {
        let entry = try #require(entries[name], "no tensor \(name)")
        #expect(entry.dtype == dtype)
        return content.subdata(in: entry.data_offsets[0]..<entry.data_offsets[1]).withUnsafeBytes { bytes in
            (0..<bytes.count / MemoryLayout<Value>.size).map {
                bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.size, as: Value.self)
            }
        }
    }
}

func largestDifference(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
    zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

/// A folder that goes away with the value.
final class TemporaryFolder {
    let url: URL
    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("media-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: url) }

    func path(_ name: String) -> String { url.appendingPathComponent(name).path }

    @discardableResult
    func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
        try Data(bytes).write(to: url.appendingPathComponent(name))
        return path(name)
    }
}
