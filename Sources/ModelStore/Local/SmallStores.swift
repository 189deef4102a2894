import Checkpoint
import Foundation
import JSON
import Support

/// LM Studio's folder: `PUBLISHER/MODEL/FILE.gguf`, exactly two folders deep, vision towers beside their text models.
enum LMStudioStore {
    static func folders(_ environment: [String: String]) -> [String] {
        let base = BaseDirectories(environment: environment)
        return [base.home + "/.lmstudio/models", base.home + "/.cache/lm-studio/models"]
    }

    static func models(in root: String) -> [LocalModel] {
        LocalStores.names(in: root).flatMap { publisher in
            LocalStores.names(in: root + "/" + publisher).flatMap { model in
                ModelFolder(
                    path: "\(root)/\(publisher)/\(model)", origin: .lmStudio, name: "\(publisher)/\(model)"
                ).filesAsModels()
            }
        }
    }
}

/// llama.cpp's download cache: files `OWNER_REPO_FILE.gguf` in one folder, and `manifest=OWNER=REPO=TAG.json` with the
/// names of the text model and the vision tower in the repository (llama.cpp, common/arg.cpp).
enum LlamaCppCache {
    static func folders(_ environment: [String: String]) -> [String] {
        let own = environment["LLAMA_CACHE"].flatMap { $0.isEmpty ? nil : ($0 as NSString).expandingTildeInPath }
        return [own ?? BaseDirectories(environment: environment).caches + "/llama.cpp"]
    }

    static func models(in root: String) -> [LocalModel] {
        let files = LocalStores.names(in: root)
        var models = files.compactMap { model(ofManifest: $0, among: files, in: root) }
        let named = Set(models.map(\.location.path))
        models += GGUFFileName.models(among: files).filter { !named.contains(root + "/" + $0.text) }.map { file in
            LocalModel(
                name: file.text, origin: .llamaCpp, location: ModelLocation(path: root + "/" + file.text),
                byteCount: file.parts.reduce(0) { $0 + (ModelStore.size(ofFile: root + "/" + $1) ?? 0) },
                problem: file.parts.lazy.compactMap { LocalStores.problem(ofFile: root + "/" + $0) }.first)
        }
        return models
    }

    /// The model that `manifest=OWNER=REPO=TAG.json` describes.
    private static func model(ofManifest name: String, among files: [String], in root: String) -> LocalModel? {
        let parts = name.split(separator: "=").map(String.init)
        guard parts.count == 4, parts[0] == "manifest", parts[3].hasSuffix(".json") else { return nil }
        let path = root + "/" + name, repository = "\(parts[1])/\(parts[2])", tag = parts[3].dropLast(5)
        func file(_ key: String, _ manifest: JSONReader) throws -> String? {
            guard let file = try manifest.objectIfPresent(key)?.stringIfPresent("rfilename") else { return nil }
            return "\(parts[1])_\(parts[2])_" + file.replacing("/", with: "_")
        }
        do {
            let manifest = try JSONReader(contentsOf: path)
            guard let text = try file("ggufFile", manifest), FileNames.isPlain(text) else { return nil }
            let projector = try file("mmprojFile", manifest).flatMap { FileNames.isPlain($0) ? $0 : nil }
            let all = (GGUFFileName(text)?.parts ?? [text]) + (projector.map { [$0] } ?? [])
            return LocalModel(
                name: "\(repository):\(tag)", origin: .llamaCpp,
                location: ModelLocation(path: root + "/" + text, projector: projector.map { root + "/" + $0 }),
                byteCount: all.reduce(0) { $0 + (ModelStore.size(ofFile: root + "/" + $1) ?? 0) },
                problem: all.lazy.compactMap { LocalStores.problem(ofFile: root + "/" + $0) }.first,
                otherNames: [repository, text])
        } catch {
            return LocalModel(
                name: "\(repository):\(tag)", origin: .llamaCpp, location: ModelLocation(path: path), byteCount: 0,
                problem: "its manifest cannot be read: \(printable("\(error)", limit: 300))")
        }
    }
}

/// OpenAI Whisper's cache: one `.pt` file for each size.
enum WhisperCache {
    static func folders(_ environment: [String: String]) -> [String] {
        [BaseDirectories(environment: environment).caches + "/whisper"]
    }

    static func models(in root: String) -> [LocalModel] {
        LocalStores.names(in: root).filter { $0.hasSuffix(".pt") }.map { file in
            let path = root + "/" + file
            return LocalModel(
                name: String(file.dropLast(3)), origin: .whisper, location: ModelLocation(path: path),
                byteCount: ModelStore.size(ofFile: path) ?? 0, problem: LocalStores.problem(ofFile: path))
        }
    }
}
