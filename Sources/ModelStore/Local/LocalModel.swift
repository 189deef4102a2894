import Checkpoint
import Foundation

/// The files of a model: what `ModelFiles` opens.
package struct ModelLocation: Sendable, Hashable {
    /// A folder, or a file of weights.
    package let path: String
    /// The vision tower of a model whose text model is a GGUF file.
    package var projector: String?

    package init(path: String, projector: String? = nil) {
        self.path = path
        self.projector = projector
    }

    package var paths: [String] { [path] + (projector.map { [$0] } ?? []) }
}

/// A model on this machine, in Fovea's own store or in that of another program. It is opened where it lies; nothing is
/// written there.
package struct LocalModel: Sendable, Hashable {
    /// The program whose store holds the model.
    package enum Origin: String, Sendable, Hashable, CaseIterable {
        case fovea
        case ollama
        case huggingFace = "huggingface"
        case lmStudio = "lmstudio"
        case llamaCpp = "llama.cpp"
        case whisper
    }

    /// The name as that program's users type it.
    package let name: String
    package let origin: Origin
    package let location: ModelLocation
    package let byteCount: Int
    /// The reason why the model cannot be opened, as far as its store shows it; `nil` if its files are there.
    package let problem: String?
    /// Further names that mean the model, some of them others as well.
    let otherNames: [String]

    init(
        name: String, origin: Origin, location: ModelLocation, byteCount: Int, problem: String? = nil,
        otherNames: [String] = []
    ) {
        self.name = name
        self.origin = origin
        self.location = location
        self.byteCount = byteCount
        self.problem = problem
        self.otherNames = otherNames
    }

    /// The name with the origin, `ollama:llama3.2-vision:11b`, for a name that several stores have.
    package var qualifiedName: String { "\(origin.rawValue):\(name)" }

    /// True if `text`, in any case of letters, is one of the names, with or without the origin.
    func isCalled(_ text: String) -> Bool {
        let text = text.lowercased()
        return ([name] + otherNames).contains {
            $0.lowercased() == text || "\(origin.rawValue):\($0)".lowercased() == text
        }
    }
}

/// The stores of other programs on this machine.
package struct LocalStores: Sendable {
    /// More entries in one folder are not looked at.
    static let mostEntries = 20_000

    private let environment: [String: String]

    package init(environment: [String: String]) { self.environment = environment }

    /// All models in all stores, by store and name; those that cannot be opened have a problem.
    package func models() -> [LocalModel] {
        let stores: [(folders: [String], scan: (String) -> [LocalModel])] = [
            (OllamaStore.folders(environment), OllamaStore.models), (HubCache.folders(environment), HubCache.models),
            (LMStudioStore.folders(environment), LMStudioStore.models),
            (LlamaCppCache.folders(environment), LlamaCppCache.models),
            (WhisperCache.folders(environment), WhisperCache.models),
        ]
        var seen: Set<String> = []
        return stores.flatMap { store in
            store.folders.flatMap { store.scan($0).sorted { $0.name < $1.name } }
        }.filter { seen.insert($0.qualifiedName).inserted }
    }

    /// Names in a folder, sorted; none if it cannot be listed. Hidden files are left out.
    static func names(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { !$0.hasPrefix(".") }.sorted().prefix(mostEntries).map { $0 }
    }

    static func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    }

    /// The reason why a file of a model cannot be read: it is not there, or a link that leads nowhere.
    static func problem(ofFile path: String) -> String? {
        if ModelStore.size(ofFile: path) != nil { return nil }
        let name = (path as NSString).lastPathComponent
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
            return "\(name) is missing"
        }
        let incomplete = (path as NSString).deletingLastPathComponent + "/" + target + ".incomplete"
        return "the link of \(name) leads nowhere"
            + (FileManager.default.fileExists(atPath: incomplete)
                ? ": its download was interrupted, the blob is there as .incomplete" : "")
    }
}
