import Checkpoint
import Foundation
import JSON
import Models
import TestSupport
import Testing

@testable import Planning

/// Numbers that no configuration should have, in each place of the published configurations of every family: the result is a
/// plan or a typed error.
@Suite("numbers in configurations")
struct ConfigurationNumberTests {
    /// One published configuration of each family, small ones where there is a choice.
    static let configurations = [
        "t5-small", "mt5-small", "umt5-small", "byt5-small", "opus-mt-fr-en", "bart-base", "mbart-large-50",
        "pegasus-xsum", "m2m100-418m", "whisper-tiny", "distil-small.en", "moonshine-tiny", "blip-base", "vit-gpt2",
        "trocr-base", "donut-base", "nougat-small", "florence-2-base", "gpt2", "llama-3.2-1b", "qwen2.5-0.5b",
        "qwen3-0.6b", "mistral-7b", "gemma-2-2b", "gemma-3-270m", "phi-3-mini-4k", "granite-3.1-2b", "llava-1.5-7b",
        "smolvlm-256m", "llama-3.2-11b-vision",
    ]

    static let extremes: [JSONValue] = [
        .integer(0), .integer(1), .integer(-1), .integer(3), .integer(1 << 31), .integer(1 << 53), .integer(.max),
        .number(0.5), .number(1e300), .null,
    ]

    private static let folder = Fixtures.packageRoot.appending(path: "assets/configs")
    private static let target = PlanTarget(name: "a device", memory: 1 << 50, isUnified: true)

    /// Keys of layer counts. Two layers are as good as many, and planned faster.
    private static let layerKeys: Set = [
        "num_hidden_layers", "num_layers", "num_decoder_layers", "encoder_layers", "decoder_layers", "n_layer",
        "encoder_num_hidden_layers", "decoder_num_hidden_layers",
    ]

    private static func shortened(_ value: JSONValue) -> JSONValue {
        guard case .object(let object) = value, object["cross_attention_layers"] == nil else { return value }
        return .object(
            JSONObject(
                object.map { key, member in
                    if layerKeys.contains(key), case .integer = member { return (key, .integer(2)) }
                    if key == "layer_types", case .array(let types) = member {
                        return (key, .array(Array(types.prefix(2))))
                    }
                    return (key, shortened(member))
                }))
    }

    /// Copies of a value with one of its numbers replaced, and the path of that number.
    private static func variants(of value: JSONValue, path: String = "") -> [(path: String, value: JSONValue)] {
        switch value {
        case .integer, .number: return extremes.map { (path, $0) }
        case .object(let object):
            return object.flatMap { key, member in
                variants(of: member, path: path + "/" + key).map { place, changed in
                    var copy = object
                    copy[key] = changed
                    return (place, .object(copy))
                }
            }
        case .array(let list):
            // Lists are read alike from the first element to the last.
            return Set([0, list.count - 1]).filter(list.indices.contains).sorted().flatMap { index in
                variants(of: list[index], path: path + "/\(index)").map { place, changed in
                    var copy = list
                    copy[index] = changed
                    return (place, .array(copy))
                }
            }
        default: return []
        }
    }

    /// The model planned with a configuration; typed errors are right.
    private func plan(_ folder: URL, pictures: [PictureSize] = []) throws -> Bool {
        do {
            let files = try ModelFiles(configuration: folder.path)
            let request = PlanRequest(model: "a model", pictures: pictures)
            #expect(try Planner(files, on: Self.target).plan(request).total > 0)
            return true
        } catch let error as any CustomStringConvertible & Error {
            #expect(!error.description.isEmpty)
            return false
        }
    }

    /// JSON text of a value; strings of configurations need no escapes but these.
    private static func text(_ value: JSONValue) -> String {
        func quoted(_ text: String) -> String {
            "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
        }
        return switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): quoted(value)
        case .array(let list): "[" + list.map(text).joined(separator: ",") + "]"
        case .object(let object): "{" + object.map { quoted($0) + ":" + text($1) }.joined(separator: ",") + "}"
        }
    }

    /// Plans a published model with each number of one of its files replaced.
    private func tryNumbers(of file: String, in name: String, pictures: [PictureSize]) throws -> (Int, planned: Int) {
        let source = Self.folder.appending(path: name)
        let folder = try TemporaryFolder()
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path) {
            try FileManager.default.copyItem(at: source.appending(path: name), to: folder.url.appending(path: name))
        }
        #expect(try plan(folder.url, pictures: pictures))
        var tried = 0, planned = 0
        let path = folder.path(file)
        for (_, changed) in Self.variants(of: Self.shortened(try JSONReader(contentsOf: path).value)) {
            try Self.text(changed).write(toFile: path, atomically: false, encoding: .utf8)
            if try plan(folder.url, pictures: pictures) { planned += 1 }
            tried += 1
        }
        return (tried, planned)
    }

    @Test("each number of each family's configuration", arguments: configurations)
    func number(_ name: String) throws {
        let (tried, planned) = try tryNumbers(of: "config.json", in: name, pictures: [])
        // Some numbers matter, and some do not.
        #expect(tried >= 60 && planned > 0 && planned < tried, "\(planned) of \(tried)")
    }

    @Test(
        "each number of the image processors",
        arguments: configurations.filter {
            FileManager.default.fileExists(atPath: folder.appending(path: "\($0)/preprocessor_config.json").path)
        })
    func processor(_ name: String) throws {
        let (tried, planned) = try tryNumbers(
            of: "preprocessor_config.json", in: name, pictures: [PictureSize(width: 640, height: 480)])
        #expect(tried >= 20 && planned > 0 && planned < tried, "\(planned) of \(tried)")
    }
}
