import Checkpoint
import Foundation
import JSON

/// A source of models on a hub, by `owner/repo`: the weights (safetensors first, else GGUF, CTranslate2,
/// PyTorch or whisper.cpp) and their companion files, no code.
struct HubSource: ModelSource {
    let owner: String
    let repository: String
    /// The file or quantization chosen from several.
    let file: String?
    let name: String
    let memory: Int
    let client: HubClient

    init(
        owner: String, repository: String, file: String?, name: String, memory: Int, environment: [String: String]
    ) throws(ModelStoreError) {
        self.owner = owner
        self.repository = repository
        self.file = file
        self.name = name
        self.memory = memory
        client = try HubClient(environment: environment)
    }

    func fetch(into staging: StagingFolder, report: @escaping @Sendable (PullProgress) -> Void) async throws
        -> ModelManifest
    {
        report(PullProgress(phase: .resolving, file: name, receivedBytes: 0, totalBytes: nil))
        let listing = try await client.json(
            "/api/models/\(owner)/\(repository)?blobs=true", what: name, temporary: staging.path + "/listing.json")
        let (files, revision) = try read(listing)
        let chosen = try HubSelection(repository: name, chosen: file, memory: memory).choose(files)
        let total = chosen.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue }
        try staging.checkRoom(total - ModelStore.size(ofFolder: staging.files))

        var arrived = 0
        for file in chosen {
            try await fetch(file, revision: revision, arrived: arrived, total: total, staging: staging, report: report)
            arrived += file.byteCount
        }
        // Files of an earlier attempt that the repository no longer has.
        for stale in Set(try FileManager.default.contentsOfDirectory(atPath: staging.files)).subtracting(
            chosen.map(\.name))
        {
            try? FileManager.default.removeItem(atPath: staging.files + "/" + stale)
        }
        return ModelManifest(
            name: name, source: "\(client.endpoint.absoluteString)/\(owner)/\(repository)@\(revision)", files: chosen)
    }

    private func fetch(
        _ file: ModelFile, revision: String, arrived: Int, total: Int, staging: StagingFolder,
        report: @escaping @Sendable (PullProgress) -> Void
    ) async throws {
        try await client.fetch(
            file, "/\(owner)/\(repository)/resolve/\(revision)/\(HubClient.escaped(file.name))",
            what: "\(name) \(file.name)", into: staging.files
        ) { phase, bytes in
            report(PullProgress(phase: phase, file: file.name, receivedBytes: arrived + bytes, totalBytes: total))
        }
    }

    /// The files of a repository and its revision, from the hub's response.
    func read(_ listing: JSONValue) throws(ModelStoreError) -> (files: [HubFile], revision: String) {
        guard let siblings = listing["siblings"]?.arrayValue else {
            throw .unexpectedAnswer(what: name, reason: "it lists no files")
        }
        var files: [HubFile] = []
        for sibling in siblings {
            guard let path = sibling["rfilename"]?.stringValue else {
                throw .unexpectedAnswer(what: name, reason: "a file without a name")
            }
            let large = sibling["lfs"]?["sha256"]?.stringValue
            let digest =
                large.map { FileDigest.sha256($0.lowercased()) }
                ?? sibling["blobId"]?.stringValue.map { FileDigest.gitBlob($0.lowercased()) }
            let size = sibling["lfs"]?["size"]?.intValue ?? sibling["size"]?.intValue
            files.append(HubFile(path: path, byteCount: size, digest: digest))
        }
        let revision = listing["sha"]?.stringValue ?? "main"
        guard !revision.isEmpty, revision.utf8.count <= 64,
            revision.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
        else {
            throw .unexpectedAnswer(what: name, reason: "revision \"\(revision)\"")
        }
        return (files, revision)
    }
}
