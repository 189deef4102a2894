import Checkpoint
import Foundation
import Support

/// The cache of Hugging Face's hub library: `models--OWNER--NAME/snapshots/COMMIT/FILE`, where files are links to
/// `blobs`, and `refs/main` holds a commit (huggingface_hub, docs/source/en/guides/manage-cache.md).
enum HubCache {
    /// The caches that the library would use with any of its settings, the one it uses first.
    static func folders(_ environment: [String: String]) -> [String] {
        func setting(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let base = BaseDirectories(environment: environment)
        let places = [
            setting("HF_HUB_CACHE"), setting("HUGGINGFACE_HUB_CACHE"), setting("HF_HOME").map { $0 + "/hub" },
            base.caches + "/huggingface/hub", base.home + "/.cache/huggingface/hub",
        ]
        var seen: Set<String> = []
        return places.compactMap { $0 }.map { ($0 as NSString).expandingTildeInPath }
            .filter { seen.insert($0).inserted }
    }

    /// The models of one cache: for each repository the snapshot of `main`, else the newest, under the repository's
    /// name, and other snapshots as `owner/repo@revision`.
    static func models(in root: String) -> [LocalModel] {
        LocalStores.names(in: root).flatMap { folder -> [LocalModel] in
            let parts = folder.components(separatedBy: "--")
            guard parts.count > 1, parts[0] == "models" else { return [] }
            return models(repository: parts.dropFirst().joined(separator: "/"), folder: root + "/" + folder)
        }
    }

    private static func models(repository: String, folder: String) -> [LocalModel] {
        let snapshots = LocalStores.names(in: folder + "/snapshots")
        let main = commit(ofReference: folder + "/refs/main")
        if let main, !snapshots.contains(main) {
            return [
                LocalModel(
                    name: repository, origin: .huggingFace, location: ModelLocation(path: folder), byteCount: 0,
                    problem: "the snapshot \(main) that refs/main names is missing; download the repository again")
            ]
        }
        guard let first = main ?? snapshots.max(by: { age($0, folder) > age($1, folder) }) else {
            return [
                LocalModel(
                    name: repository, origin: .huggingFace, location: ModelLocation(path: folder), byteCount: 0,
                    problem: "no snapshot; download the repository again")
            ]
        }
        let references = Dictionary(
            LocalStores.names(in: folder + "/refs").compactMap { name in
                commit(ofReference: folder + "/refs/" + name).map { ($0, name) }
            }, uniquingKeysWith: { first, _ in first })
        return snapshots.flatMap { snapshot -> [LocalModel] in
            let name = snapshot == first ? repository : "\(repository)@\(references[snapshot] ?? snapshot)"
            let content = ModelFolder(path: folder + "/snapshots/" + snapshot, origin: .huggingFace, name: name)
            let hasOwnFormat = content.files.contains {
                $0.hasSuffix(".safetensors") || $0.hasSuffix(".index.json") || $0 == "pytorch_model.bin"
                    || $0 == "model.bin"
            }
            let files = hasOwnFormat ? [] : content.filesAsModels()
            return files.isEmpty ? [content.wholeAsModel(name: name)] : files
        }
    }

    /// The commit that a reference holds; `nil` if it is not the name of a folder.
    private static func commit(ofReference path: String) -> String? {
        guard let size = ModelStore.size(ofFile: path), size <= 256,
            let data = FileManager.default.contents(atPath: path)
        else { return nil }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return FileNames.isPlain(text) ? text : nil
    }

    /// Seconds since a snapshot was made.
    private static func age(_ snapshot: String, _ folder: String) -> TimeInterval {
        let attributes = try? FileManager.default.attributesOfItem(atPath: folder + "/snapshots/" + snapshot)
        return -((attributes?[.modificationDate] as? Date)?.timeIntervalSinceNow ?? -.infinity)
    }
}
