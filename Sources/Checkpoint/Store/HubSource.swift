import JSON
import Foundation

/// Gets a model from a hub by `owner/repo`: lists the repository, takes the weights (safetensors before anything else)
/// and what belongs to them, and nothing that could run.
struct HubSource: ModelSource {
    let owner: String
    let repository: String
    /// One file chosen among several GGUF files.
    let file: String?
    let name: String
    let client: HubClient

    init(owner: String, repository: String, file: String?, name: String, environment: [String: String])
        throws(ModelStoreError)
    {
        self.owner = owner
        self.repository = repository
        self.file = file
        self.name = name
        client = try HubClient(environment: environment)
    }

    func fetch(into staging: StagingFolder, report: @escaping @Sendable (PullProgress) -> Void) async throws
        -> ModelManifest
    {
        report(PullProgress(phase: .resolving, file: name, receivedBytes: 0, totalBytes: nil))
        let listing = try await client.json(
            "/api/models/\(owner)/\(repository)?blobs=true", what: name, temporary: staging.path + "/listing.json")
        let (files, revision) = try read(listing)
        let chosen = try HubSelection.choose(files, repository: name, file: file)
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
        return ModelManifest(name: name, source: "\(client.endpoint)/\(owner)/\(repository)@\(revision)", files: chosen)
    }

    private func fetch(
        _ file: ModelFile, revision: String, arrived: Int, total: Int, staging: StagingFolder,
        report: @escaping @Sendable (PullProgress) -> Void
    ) async throws {
        let partial = staging.files + "/" + file.name + ".part"
        let complete = staging.files + "/" + file.name
        if (try? ModelStore.verify(file, in: staging.files)) != nil {
            report(
                PullProgress(
                    phase: .downloading, file: file.name, receivedBytes: arrived + file.byteCount, totalBytes: total))
            return
        }
        try? FileManager.default.removeItem(atPath: complete)
        let resumed = ModelStore.size(ofFile: partial) ?? 0 > 0
        if file.byteCount == 0 { try OutputFile(path: partial).close() }
        for attempt in 0...1 {
            try await client.download(
                "/\(owner)/\(repository)/resolve/\(revision)/\(HubClient.escaped(file.name))",
                what: "\(name) \(file.name)", to: partial,
                size: file.byteCount, limit: file.byteCount
            ) { bytes in
                report(
                    PullProgress(
                        phase: .downloading, file: file.name, receivedBytes: arrived + bytes, totalBytes: total))
            }
            report(
                PullProgress(
                    phase: .verifying, file: file.name, receivedBytes: arrived + file.byteCount, totalBytes: total))
            do {
                try ModelStore.verify(
                    ModelFile(name: file.name + ".part", byteCount: file.byteCount, digest: file.digest),
                    in: staging.files)
                break
            } catch let error as ModelStoreError {
                try? FileManager.default.removeItem(atPath: partial)
                // A beginning left from an earlier revision does not fit the new end: once more from the start.
                guard resumed, attempt == 0 else { throw error }
            }
        }
        guard rename(partial, complete) == 0 else {
            throw ModelStoreError.unwritable(path: complete, reason: lastSystemError())
        }
    }

    /// The files of a repository and its revision, out of the hub's answer.
    private func read(_ listing: JSONValue) throws(ModelStoreError) -> (files: [HubFile], revision: String) {
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

/// A file as a hub lists it.
struct HubFile: Sendable, Hashable {
    let path: String
    let byteCount: Int?
    let digest: FileDigest?
}

/// Which files of a repository make a model.
enum HubSelection {
    /// Taken when they are there.
    private static let companions: Set<String> = [
        "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json",
        "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt",
        "merges.txt",
        "vocabulary.txt", "vocabulary.json", "normalizer.json", "chat_template.json", "chat_template.jinja",
        "tokenizer.model",
        "spiece.model", "sentencepiece.bpe.model", "source.spm", "target.spm", "README.md", "LICENSE", "LICENSE.txt",
    ]

    /// The weights and their companions, small files first, so that a wrong configuration shows before gigabytes travel.
    static func choose(_ files: [HubFile], repository: String, file chosen: String?) throws(ModelStoreError)
        -> [ModelFile]
    {
        // Files in subfolders belong to other programs; only a name that would lead out is an attack.
        for file in files
        where file.path.hasPrefix("/") || file.path.split(separator: "/").contains("..") || file.path.contains("\\") {
            throw .hostileFileName(name: file.path, source: repository)
        }
        let here = files.filter { !$0.path.contains("/") && !$0.path.hasPrefix(".") }
        for file in here where !FileNames.isPlain(file.path) {
            throw .hostileFileName(name: file.path, source: repository)
        }
        let names = Set(here.map(\.path))
        guard names.count == here.count else {
            throw .unexpectedAnswer(what: repository, reason: "it lists a file twice")
        }
        let wanted = try weights(names, repository: repository, chosen: chosen).union(names.intersection(companions))
        var result: [ModelFile] = []
        for file in here where wanted.contains(file.path) {
            guard let size = file.byteCount, size >= 0, size < 1 << 46, let digest = file.digest else {
                throw .unexpectedAnswer(what: repository, reason: "size or digest of \(file.path) is missing")
            }
            result.append(ModelFile(name: file.path, byteCount: size, digest: digest))
        }
        return result.sorted { ($0.byteCount, $0.name) < ($1.byteCount, $1.name) }
    }

    private static func weights(
        _ names: Set<String>, repository: String, chosen: String?
    ) throws(ModelStoreError) -> Set<String> {
        if let chosen {
            guard names.contains(chosen) else {
                throw .nothingUsable(repository: repository, reason: "the repository has no file \(chosen)")
            }
            return [chosen]
        }
        if names.contains("model.safetensors") { return ["model.safetensors"] }
        if names.contains(ShardedSafetensorsReader.indexName) {
            let shards = names.filter { $0.hasPrefix("model-") && $0.hasSuffix(".safetensors") }
            return shards.union([ShardedSafetensorsReader.indexName])
        }
        let quantized = names.filter { $0.hasSuffix(".gguf") }.sorted()
        if quantized.count == 1 { return [quantized[0]] }
        if quantized.count > 1 {
            throw .nothingUsable(
                repository: repository,
                reason: "it has several GGUF files; name one, as in \(repository):\(quantized[0]); "
                    + "there are \(quantized.prefix(12).joined(separator: ", "))")
        }
        if names.contains("model.bin") { return ["model.bin"] }
        throw .nothingUsable(
            repository: repository,
            reason: "no safetensors, GGUF or CTranslate2 weights in it"
                + (names.contains { $0.hasPrefix("pytorch_model") }
                    ? ", only PyTorch pickle files, which can run code and are not read" : ""))
    }
}
