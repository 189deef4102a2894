import Checkpoint
import Support

/// A file in a hub's listing.
struct HubFile: Sendable, Hashable {
    let path: String
    let byteCount: Int?
    let digest: FileDigest?
}

/// The choice of a repository's files that make a model.
struct HubSelection {
    /// The repository's name, for messages.
    let repository: String
    /// The file or the quantization that the user named.
    let chosen: String?
    /// Bytes that quantized weights may take.
    let memory: Int

    /// Companion files that are fetched if they exist.
    private static let companions: Set<String> = [
        "config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json", "tokenizer.json",
        "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "vocab.txt",
        "merges.txt",
        "vocabulary.txt", "vocabulary.json", "normalizer.json", "chat_template.json", "chat_template.jinja",
        "tokenizer.model",
        "spiece.model", "sentencepiece.bpe.model", "source.spm", "target.spm", "README.md", "LICENSE", "LICENSE.txt",
    ]
    /// The quantization that is taken if it fits.
    private static let preferred = "Q4_K_M"
    /// The part of the memory that weights may take; the rest is for activations and the KV cache.
    private static let share = 0.8

    /// The weights and their companions, small files first, so that a wrong configuration fails before gigabytes
    /// are downloaded.
    func choose(_ files: [HubFile]) throws(ModelStoreError) -> [ModelFile] {
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
        let sizes = Dictionary(here.map { ($0.path, $0.byteCount ?? 0) }, uniquingKeysWith: { first, _ in first })
        let wanted = try weights(sizes).union(names.intersection(Self.companions))
        var result: [ModelFile] = []
        for file in here where wanted.contains(file.path) {
            guard let size = file.byteCount, size >= 0, size < 1 << 46, let digest = file.digest else {
                throw .unexpectedAnswer(what: repository, reason: "size or digest of \(file.path) is missing")
            }
            result.append(ModelFile(name: file.path, byteCount: size, digest: digest))
        }
        return result.sorted { ($0.byteCount, $0.name) < ($1.byteCount, $1.name) }
    }

    private func weights(_ sizes: [String: Int]) throws(ModelStoreError) -> Set<String> {
        let names = Set(sizes.keys)
        let quantized = GGUFFileName.models(among: names.sorted())
        if let chosen {
            if names.contains(chosen) { return try pair(chosen, among: names) }
            let wanted = quantized.filter { $0.quantization == chosen.uppercased() }
            guard wanted.count == 1 else {
                let labels = Set(quantized.compactMap(\.quantization)).sorted()
                throw .nothingUsable(
                    repository: repository,
                    reason: "the repository has no file \(chosen)"
                        + (labels.isEmpty ? "" : "; there are the quantizations \(labels.joined(separator: ", "))"))
            }
            return try pair(wanted[0].text, among: names)
        }
        if names.contains("model.safetensors") { return ["model.safetensors"] }
        if names.contains(Checkpoint.shardIndexName) {
            let shards = names.filter { $0.hasPrefix("model-") && $0.hasSuffix(".safetensors") }
            return shards.union([Checkpoint.shardIndexName])
        }
        if !quantized.isEmpty { return try pair(try fitting(quantized, sizes).text, among: names) }
        for name in ["model.bin", "pytorch_model.bin"] where names.contains(name) { return [name] }
        if names.contains("pytorch_model.bin.index.json") {
            return names.filter { $0.hasPrefix("pytorch_model") && ($0.hasSuffix(".bin") || $0.hasSuffix(".json")) }
        }
        let others = names.filter { FileNames.isWhisperCpp($0) || $0.hasSuffix(".pt") || $0.hasSuffix(".pth") }
        if others.count == 1 { return others }
        if others.count > 1 { throw several("weight", others.sorted()) }
        throw .nothingUsable(
            repository: repository, reason: "no safetensors, GGUF, CTranslate2, PyTorch or whisper.cpp weights in it")
    }

    /// A file, and if it is a GGUF model its further parts and the repository's vision tower.
    private func pair(_ name: String, among names: Set<String>) throws(ModelStoreError) -> Set<String> {
        guard let file = GGUFFileName(name) else { return [name] }
        if let missing = file.parts.first(where: { !names.contains($0) }) {
            throw .nothingUsable(repository: repository, reason: "the file \(missing) of the model is missing in it")
        }
        return Set(file.parts).union(
            file.isProjector ? [] : GGUFFileName.projector(among: Array(names)).map { [$0.text] } ?? [])
    }

    /// Of several quantizations the preferred one, or else the largest, that fits.
    private func fitting(_ models: [GGUFFileName], _ sizes: [String: Int]) throws(ModelStoreError) -> GGUFFileName {
        if models.count == 1 { return models[0] }
        guard models.allSatisfy({ $0.quantization != nil }) else { throw several("GGUF", models.map(\.text)) }
        func size(_ model: GGUFFileName) -> Int {
            model.parts.reduce(0) { $0.addingReportingOverflow(sizes[$1] ?? 0).partialValue }
        }
        let limit = Int(Double(memory) * Self.share)
        let fitting = models.filter { size($0) <= limit }
        if let best = fitting.first(where: { $0.quantization == Self.preferred })
            ?? fitting.max(by: { size($0) < size($1) })
        {
            return best
        }
        let list = models.map { "\($0.quantization ?? $0.text) \(ByteFormat.text(size($0)))" }
        throw .nothingUsable(
            repository: repository,
            reason: "none of its quantizations fits into \(ByteFormat.text(limit)): \(list.joined(separator: ", ")); "
                + "name one to fetch it nevertheless, as in \(repository):\(models[0].quantization ?? models[0].text)")
    }

    private func several(_ kind: String, _ names: [String]) -> ModelStoreError {
        .nothingUsable(
            repository: repository,
            reason: "it has several \(kind) files; name one, as in \(repository):\(names[0]); "
                + "there are \(names.prefix(12).joined(separator: ", "))")
    }
}
