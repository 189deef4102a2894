import Checkpoint
import Foundation
import JSON
import Support

/// Ollama's store: `manifests/HOST/NAMESPACE/MODEL/TAG` name the layers of a model by digest, `blobs/sha256-DIGEST` hold
/// them (ollama, manifest/paths.go). The layer `model` is a GGUF file, `projector` its vision tower.
enum OllamaStore {
    private static let layerPrefix = "application/vnd.ollama.image."
    private static let largestManifest = 1 << 20

    /// `$OLLAMA_MODELS`, the user's folder, and that of the system service.
    static func folders(_ environment: [String: String]) -> [String] {
        let own = environment["OLLAMA_MODELS"].flatMap { $0.isEmpty ? nil : ($0 as NSString).expandingTildeInPath }
        let user = BaseDirectories(environment: environment).home + "/.ollama/models"
        return [own, user == own ? nil : user, "/usr/share/ollama/.ollama/models"].compactMap { $0 }
    }

    static func models(in root: String) -> [LocalModel] {
        func names(_ path: [String]) -> [String] {
            LocalStores.names(in: ([root, "manifests"] + path).joined(separator: "/"))
        }
        var models: [LocalModel] = []
        for host in names([]) {
            for namespace in names([host]) {
                for model in names([host, namespace]) {
                    let tags = names([host, namespace, model])
                    models += tags.map {
                        read(root, host: host, namespace: namespace, model: model, tag: $0, tags: tags)
                    }
                }
            }
        }
        return models + unfinished(in: root)
    }

    private static func read(
        _ root: String, host: String, namespace: String, model: String, tag: String, tags: [String]
    ) -> LocalModel {
        let full = "\(host)/\(namespace)/\(model)"
        let isLibrary = host == "registry.ollama.ai" && namespace == "library"
        let short = isLibrary ? model : host == "registry.ollama.ai" ? "\(namespace)/\(model)" : full
        var otherNames = ["\(full):\(tag)"]
        // Without a tag, `latest` is meant; where there is none, any.
        if tag == "latest" || !tags.contains("latest") { otherNames += [short, full] }
        let path = "\(root)/manifests/\(full)/\(tag)"
        var layers: [Layer] = []
        var problem: String?
        do {
            layers = try Self.layers(ofManifest: path)
            problem = Self.problem(of: layers, in: root)
        } catch {
            problem = "its manifest cannot be read: \(printable("\(error)", limit: 300))"
        }
        func file(_ kind: String) -> String? { layers.first { $0.kind == kind }?.path(in: root) }
        return LocalModel(
            name: "\(short):\(tag)", origin: .ollama,
            location: ModelLocation(path: file("model") ?? path, projector: file("projector")),
            byteCount: layers.reduce(0) { $0 + (ModelStore.size(ofFile: $1.path(in: root)) ?? 0) }, problem: problem,
            otherNames: otherNames)
    }

    // MARK: Layers

    private struct Layer {
        /// The media type after the common prefix: `model`, `projector`, `template`, …
        let kind: String
        /// SHA-256 of the blob in hexadecimal.
        let digest: String
        let byteCount: Int

        /// The blob; very old stores have a colon in its name.
        func path(in root: String) -> String {
            let old = root + "/blobs/sha256:" + digest
            return ModelStore.size(ofFile: old) == nil ? root + "/blobs/sha256-" + digest : old
        }
    }

    private static func layers(ofManifest path: String) throws -> [Layer] {
        guard let size = ModelStore.size(ofFile: path), size <= largestManifest else {
            throw CheckpointError.malformed(file: path, tensor: nil, problem: "too large for a manifest")
        }
        return try JSONReader(contentsOf: path).member("layers").elements().map { layer in
            let type = try layer.string("mediaType"), name = try layer.string("digest")
            let digest = name.hasPrefix("sha256:") ? String(name.dropFirst(7)) : ""
            guard digest.utf8.count == 64, digest.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
                throw try layer.member("digest").wrongType(expected: "sha256: and 64 digits", actual: printable(name))
            }
            let kind = type.hasPrefix(layerPrefix) ? String(type.dropFirst(layerPrefix.count)) : type
            return Layer(kind: kind, digest: digest.lowercased(), byteCount: try layer.int("size"))
        }
    }

    private static func problem(of layers: [Layer], in root: String) -> String? {
        let kinds = layers.map(\.kind)
        if let kind = ["tensor", "json"].first(where: kinds.contains) {
            return "it has layers of the type \(kind), one blob for each tensor, instead of a GGUF file; not supported"
        }
        if kinds.contains("adapter") { return "a LoRA adapter is applied to it, which is not supported" }
        guard kinds.filter({ $0 == "model" }).count == 1, kinds.filter({ $0 == "projector" }).count <= 1 else {
            return "its manifest names \(kinds.filter { $0 == "model" }.count) models, expected one"
        }
        for layer in layers where ["model", "projector"].contains(layer.kind) {
            guard let size = ModelStore.size(ofFile: layer.path(in: root)) else {
                return "the blob of the \(layer.kind) layer is missing; run ollama pull again"
            }
            guard size == layer.byteCount else {
                return "the blob of the \(layer.kind) layer has \(size) of the \(layer.byteCount) bytes that the "
                    + "manifest says; run ollama pull again"
            }
        }
        return nil
    }

    /// Interrupted downloads, which no manifest names.
    private static func unfinished(in root: String) -> [LocalModel] {
        let parts = LocalStores.names(in: root + "/blobs").filter { $0.contains("-partial") }
        let groups = Dictionary(grouping: parts) {
            $0.prefix(upTo: $0.range(of: "-partial")?.lowerBound ?? $0.endIndex)
        }
        return groups.map { blob, files in
            LocalModel(
                name: "\(blob)-partial", origin: .ollama,
                location: ModelLocation(path: "\(root)/blobs/\(files.min() ?? "")"),
                byteCount: files.reduce(0) { $0 + (ModelStore.size(ofFile: root + "/blobs/" + $1) ?? 0) },
                problem: "an interrupted download; continue it with ollama pull")
        }
    }
}
