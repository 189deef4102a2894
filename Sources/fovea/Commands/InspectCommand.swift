import Support
import ArgumentParser
import Checkpoint
import Compute
import NumberFormats
import Foundation
import Generation
import JSON
import Models

/// `fovea inspect`: what a file or folder of weights holds, from its headers alone.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what a model's files hold: format, configuration, tensors.")

    @OptionGroup var model: ModelArgument

    @Flag(name: .long, help: "List every tensor.")
    var tensors = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let report = try InspectReport(path: try model.location().path, listsTensors: tensors)
        if output.json {
            try JSONOutput.print(report)
        } else {
            try Console.writeLine(report.text)
        }
    }
}

/// A checkpoint as `fovea inspect` shows it.
struct InspectReport: Encodable {
    struct FormatTotal: Encodable {
        let format: String
        let tensors: Int
        let elements: Int
        let bytes: Int
    }

    struct Tensor: Encodable {
        let name: String
        let format: String
        let shape: [Int]
        let bytes: Int
        let file: String
        let offset: Int
    }

    let path: String
    let format: String
    let architecture: String?
    let files: [String]
    let configuration: [String: String]
    let metadata: [String: String]
    let tensorCount: Int
    let elements: Int
    let bytes: Int
    let totals: [FormatTotal]
    let aliases: [String: String]
    let unsupported: [String: String]
    /// Languages of a translation model, by code.
    let languages: [String: String]?
    /// The encoding of another program, and what would do instead; absent where the weights can be read.
    let foreignEncoding: String?
    /// Only when asked for.
    let tensors: [Tensor]?

    init(path: String, listsTensors: Bool) throws {
        let checkpoint = try Checkpoint.open(path)
        self.path = path
        format = checkpoint.format.rawValue
        files = checkpoint.files
        metadata = checkpoint.metadata
        aliases = checkpoint.aliases
        unsupported = checkpoint.unsupported

        let summary = try ConfigurationSummary(checkpoint: checkpoint)
        architecture = summary.architecture
        configuration = summary.values
        foreignEncoding = ForeignEncoding.of(checkpoint, configuration: summary.main).map { "\($0)" }

        // A file that cannot be run is inspected all the same.
        languages = (try? ModelFiles(path: path)).flatMap { files in
            (try? ModelRegistry.make(from: files)).flatMap { try? LanguageCodes(of: $0, files) }
        }.map { codes in Dictionary(codes.all.map { ($0, LanguageCodes.name(of: $0)) }) { first, _ in first } }

        let entries = try checkpoint.names.map { name throws(CheckpointError) in try checkpoint.entry(name) }
        tensorCount = entries.count
        elements = entries.reduce(0) { $0 &+ $1.elementCount }
        bytes = checkpoint.byteCount
        totals = Dictionary(grouping: entries, by: \.format).map { format, entries in
            FormatTotal(
                format: format.rawValue, tensors: entries.count, elements: entries.reduce(0) { $0 &+ $1.elementCount },
                bytes: entries.reduce(0) { $0 &+ $1.byteCount })
        }.sorted { ($1.bytes, $0.format) < ($0.bytes, $1.format) }
        tensors =
            !listsTensors
            ? nil
            : entries.map {
                Tensor(
                    name: $0.name, format: $0.format.rawValue, shape: $0.shape, bytes: $0.byteCount,
                    file: checkpoint.files[$0.location.file], offset: $0.location.offset)
            }
    }

    var text: String {
        var facts = TextTable(("", .left), ("", .left))
        facts.add("path", path)
        facts.add("format", format + (files.count > 1 ? ", \(files.count) files" : ""))
        facts.add("architecture", architecture ?? "not said")
        if let foreignEncoding { facts.add("weights", "not read here: \(foreignEncoding)") }
        facts.add("tensors", "\(tensorCount), \(elements.formatted()) elements, \(ByteFormat.text(bytes))")
        var parts = [facts.text]

        var table = TextTable(("format", .left), ("tensors", .right), ("elements", .right), ("bytes", .right))
        for total in totals {
            table.add(total.format, "\(total.tensors)", total.elements.formatted(), ByteFormat.text(total.bytes))
        }
        if !table.isEmpty { parts.append(table.text) }
        if let languages { parts.append("languages\n" + Self.pairs(languages)) }
        if !unsupported.isEmpty { parts.append("not readable\n" + Self.pairs(unsupported)) }
        if !aliases.isEmpty { parts.append("other names\n" + Self.pairs(aliases)) }
        if !metadata.isEmpty { parts.append("metadata\n" + Self.pairs(metadata)) }
        if !configuration.isEmpty { parts.append("configuration\n" + Self.pairs(configuration)) }
        if let tensors {
            var list = TextTable(("tensor", .left), ("format", .left), ("shape", .left), ("bytes", .right))
            for tensor in tensors {
                list.add(tensor.name, tensor.format, "\(tensor.shape)", "\(tensor.bytes)")
            }
            parts.append(list.text)
        }
        return parts.joined(separator: "\n\n")
    }

    private static func pairs(_ values: [String: String]) -> String {
        var table = TextTable(("", .left), ("", .left))
        for key in values.keys.sorted() { table.add("  " + key, ConfigurationSummary.shortened(values[key] ?? "")) }
        return table.text
    }
}

/// A model's configuration, flattened to `key.key: value`.
struct ConfigurationSummary {
    var architecture: String?
    var values: [String: String] = [:]
    /// `config.json`, where there is one.
    private(set) var main: JSONReader?

    /// Reads GGUF's own metadata, or `config.json` beside the weights where there is one.
    init(checkpoint: Checkpoint) throws {
        architecture = checkpoint.metadata["specification"]
        if let gguf = checkpoint.gguf {
            architecture = try gguf.stringIfPresent("general.architecture")
            for key in gguf.keys { values[key] = gguf[key].map(Self.words) }
            return
        }
        if let sizes = checkpoint.whisper?.dimensions {
            architecture = "whisper"
            for (label, value) in Mirror(reflecting: sizes).children {
                if let label { values[label] = "\(value)" }
            }
            return
        }
        var isFolder: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: checkpoint.path, isDirectory: &isFolder)
        let path = checkpoint.path as NSString
        let folder = isThere && isFolder.boolValue ? checkpoint.path : path.deletingLastPathComponent
        guard FileManager.default.fileExists(atPath: (folder as NSString).appendingPathComponent("config.json")) else {
            return
        }
        let configuration = try ModelConfiguration(folder: folder.isEmpty ? "." : folder)
        architecture = configuration.modelType ?? architecture
        main = configuration.main
        flatten(configuration.main.members, prefix: "")
    }

    private mutating func flatten(_ members: JSONObject, prefix: String) {
        for (key, value) in members {
            if case .object(let inner) = value, inner.count <= 64 {
                flatten(inner, prefix: prefix + key + ".")
            } else if !value.isNull {
                values[prefix + key] = Self.words(value)
            }
        }
    }

    private static func words(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): value
        case .array(let values):
            values.count > 16 ? "a list of \(values.count)" : "[" + values.map(words).joined(separator: ", ") + "]"
        case .object(let members): "an object of \(members.count)"
        }
    }

    private static func words(_ value: GGUFMetadata.Value) -> String {
        switch value {
        case .integer(let value): "\(value)"
        case .large(let value): "\(value)"
        case .float(let value): "\(value)"
        case .bool(let value): "\(value)"
        case .string(let value): value
        case .integers(let values): list(values)
        case .floats(let values): list(values)
        case .bools(let values): list(values)
        case .strings(let values): list(values)
        case .nested(let values): "a list of \(values.count) lists"
        }
    }

    private static func list<Element>(_ values: [Element]) -> String {
        values.count > 16 ? "a list of \(values.count)" : "[" + values.map { "\($0)" }.joined(separator: ", ") + "]"
    }

    /// Chat templates and the like run to pages.
    static func shortened(_ text: String) -> String {
        text.count > 160 ? text.prefix(160) + "…" : text
    }
}
