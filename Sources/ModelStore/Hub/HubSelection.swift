import Checkpoint

/// A file in a hub's listing.
struct HubFile: Sendable, Hashable {
    let path: String
    let byteCount: Int?
    let digest: FileDigest?
}

/// The choice of a repository's files that make a model.
enum HubSelection {
    /// Companion files that are fetched if they exist.
    private static let companions: Set<String> = [
        "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json",
        "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt",
        "merges.txt",
        "vocabulary.txt", "vocabulary.json", "normalizer.json", "chat_template.json", "chat_template.jinja",
        "tokenizer.model",
        "spiece.model", "sentencepiece.bpe.model", "source.spm", "target.spm", "README.md", "LICENSE", "LICENSE.txt",
    ]

    /// The weights and their companions, small files first, so that a wrong configuration fails before gigabytes are
    /// downloaded.
    static func choose(_ files: [HubFile], repository: String, file chosen: String?) throws(ModelStoreError)
        -> [ModelFile]
    {
        // Files in subfolders belong to other programs and are ignored. Names that lead out of the folder are refused.
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
        if names.contains(Checkpoint.shardIndexName) {
            let shards = names.filter { $0.hasPrefix("model-") && $0.hasSuffix(".safetensors") }
            return shards.union([Checkpoint.shardIndexName])
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
