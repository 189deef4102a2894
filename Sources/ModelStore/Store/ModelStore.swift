import Checkpoint
import Foundation
import Support

/// The models on this machine: one folder each under `$XDG_DATA_HOME/fovea/models` (else `~/.local/share/…`).
///
/// A model's folder appears in one step, with all files complete and verified. Partial downloads are under `.partial`, where
/// the next attempt continues them.
package struct ModelStore: Sendable {
    /// The folder of the models' folders. The first download creates it.
    package let root: String
    /// Environment variables: `PATH`, `HF_ENDPOINT`, `HF_TOKEN`, and those of pip.
    let environment: [String: String]
    /// Models that come with the program.
    package let bundled: [BundledModel]
    /// Bytes that the weights of a model may take, where there is a choice of quantizations.
    let memory: Int

    package init(
        root: String, environment: [String: String] = ProcessInfo.processInfo.environment, bundled: [BundledModel] = [],
        memory: Int = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    ) {
        self.memory = memory
        self.root = root.hasPrefix("/") ? root : FileManager.default.currentDirectoryPath + "/" + root
        self.environment = environment
        self.bundled = bundled
    }

    /// The user's store and the models that come with the program.
    package static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> ModelStore {
        ModelStore(
            root: BaseDirectories(environment: environment).data + "/models", environment: environment,
            bundled: Assets.path("models").map(BundledModel.all) ?? [])
    }

    /// An installed model.
    package struct InstalledModel: Sendable, Hashable {
        /// The name that it was pulled by: a catalogue name or `owner/repo`.
        package let name: String
        package let path: String
        package let byteCount: Int
        /// The manifest; `nil` for a folder that was copied by hand.
        package let manifest: ModelManifest?
    }

    /// The installed models, by name.
    package func installed() -> [InstalledModel] {
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        return folders.filter { !$0.hasPrefix(".") }.compactMap { folder in
            let path = root + "/" + folder
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
                return nil
            }
            let manifest = try? ModelManifest(folder: path)
            return InstalledModel(
                name: manifest?.name ?? folder, path: path, byteCount: Self.size(ofFolder: path), manifest: manifest)
        }.sorted { $0.name < $1.name }
    }

    /// The folder of a model, installed or not.
    package func path(of name: ModelName) -> String { root + "/" + name.folder }

    /// Models in the stores of other programs.
    package func found() -> [LocalModel] { LocalStores(environment: environment).models() }

    /// The files that a `MODEL` argument means: a path, or the name of a bundled model, an installed one, or one in the
    /// store of another program.
    ///
    /// - Throws: `ModelStoreError.notInstalled`, which says how to get it, `.unknownModel`, `.unusable` for a model whose
    ///   files are not all there, `.ambiguous` for a name of several.
    package func resolve(_ model: String) throws(ModelStoreError) -> ModelLocation {
        let isPath = model.hasPrefix("/") || model.hasPrefix("./") || model.hasPrefix("../") || model.hasPrefix("~")
        let expanded = (model as NSString).expandingTildeInPath
        if let bundled = bundled.first(where: { $0.name == model }) { return ModelLocation(path: bundled.path) }
        let name = try? ModelName(model)
        if let name, !isPath, FileManager.default.fileExists(atPath: path(of: name)) {
            return ModelLocation(path: path(of: name))
        }
        if FileManager.default.fileExists(atPath: expanded) { return ModelLocation(path: expanded) }
        if !isPath, let found = try find(model) { return found }
        if name != nil, !isPath { throw .notInstalled(name: model, canBePulled: true) }
        if isPath || model.contains("/") { throw .notInstalled(name: model, canBePulled: false) }
        throw .unknownModel(name: model, known: bundled.map(\.name) + Catalogue.names)
    }

    /// The model of that name in the stores of other programs.
    private func find(_ name: String) throws(ModelStoreError) -> ModelLocation? {
        var models = found().filter { $0.isCalled(name) }
        // One that is called exactly so comes before those that have a longer name.
        let exact = models.filter { $0.name == name || $0.qualifiedName == name }
        if !exact.isEmpty { models = exact }
        let usable = models.filter { $0.problem == nil }
        if usable.count > 1 {
            let names = usable.map(\.name)
            let choices = usable.map { model in
                names.filter { $0 == model.name }.count == 1 && model.name != name ? model.name : model.qualifiedName
            }
            throw .ambiguous(name: name, choices: choices)
        }
        if let model = usable.first { return model.location }
        guard let model = models.first, let problem = model.problem else { return nil }
        throw .unusable(name: model.name, origin: model.origin.rawValue, problem: problem)
    }

    /// Checks size and digest of every file of an installed model.
    package func verify(_ name: String) throws {
        let folder = path(of: try ModelName(name))
        guard FileManager.default.fileExists(atPath: folder) else {
            throw ModelStoreError.notInstalled(name: name, canBePulled: true)
        }
        for file in try ModelManifest(folder: folder).files { try Self.verify(file, in: folder) }
    }

    static func verify(_ file: ModelFile, in folder: String) throws {
        let path = folder + "/" + file.name
        guard let size = Self.size(ofFile: path) else { throw ModelStoreError.missingFile(file: path) }
        guard size == file.byteCount else {
            throw ModelStoreError.wrongSize(file: path, expected: file.byteCount, actual: size)
        }
        let actual = try file.digest.computed(path: path)
        guard actual == file.digest.hexadecimal else {
            throw ModelStoreError.wrongDigest(
                file: path, algorithm: file.digest.algorithm, expected: file.digest.hexadecimal, actual: actual)
        }
    }

    /// Bytes of a file; `nil` if it is absent.
    static func size(ofFile path: String) -> Int? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int(status.st_size)
    }

    /// Bytes of all files under a folder.
    static func size(ofFolder path: String) -> Int {
        let files = (try? FileManager.default.subpathsOfDirectory(atPath: path)) ?? []
        return files.reduce(0) { $0 + (size(ofFile: path + "/" + $1) ?? 0) }
    }
}

/// The name of a model that can be pulled: one of the catalogue, or `owner/repo` of a hub, where one of several files
/// is chosen by `owner/repo:FILE` or by its quantization, `owner/repo:Q4_K_M`.
package struct ModelName: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        case catalogue(CatalogueEntry)
        case repository(owner: String, repository: String, file: String?)
    }

    package let kind: Kind

    /// - Throws: `ModelStoreError.unknownModel`
    package init(_ text: String) throws(ModelStoreError) {
        if let entry = Catalogue.entry(named: text) {
            kind = .catalogue(entry)
            return
        }
        let halves = (HubEntry.named(text)?.repository ?? text).split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let parts = halves[0].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let file = halves.count == 2 ? String(halves[1]) : nil
        guard parts.count == 2, parts.allSatisfy(Self.isPart), file.map(FileNames.isPlain) ?? true else {
            throw .unknownModel(name: text, known: Catalogue.names)
        }
        kind = .repository(owner: parts[0], repository: parts[1], file: file)
    }

    package init(_ entry: CatalogueEntry) { kind = .catalogue(entry) }

    package var description: String {
        switch kind {
        case .catalogue(let entry): entry.name
        case .repository(let owner, let repository, let file): "\(owner)/\(repository)" + (file.map { ":" + $0 } ?? "")
        }
    }

    /// The name as one path component.
    var folder: String {
        switch kind {
        case .catalogue(let entry): entry.name
        case .repository(let owner, let repository, let file):
            "\(owner)--\(repository)" + (file.map { "--" + $0 } ?? "")
        }
    }

    /// True for names of owners and repositories that a hub allows.
    private static func isPart(_ text: String) -> Bool {
        guard (1...96).contains(text.utf8.count), text != ".", text != "..", !text.hasPrefix(".") else { return false }
        return text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}
