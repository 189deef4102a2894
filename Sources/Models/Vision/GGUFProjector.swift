import Checkpoint
import Compute
import Media
import Transformer

/// llama.cpp's file of a vision tower and projector ("mmproj"), as the architectures read it that come as such a
/// pair of files read from it. Reference: llama.cpp's tools/mtmd and its converters.
struct GGUFProjector {
    let checkpoint: Checkpoint
    let metadata: GGUFMetadata

    /// - Throws: `ModelError` when the file is no vision tower.
    init(_ checkpoint: Checkpoint) throws {
        self.checkpoint = checkpoint
        let type = try checkpoint.gguf?.string("general.architecture")
        guard let metadata = checkpoint.gguf, type == "clip" else {
            throw ModelError.configuration(
                file: checkpoint.path, key: "general.architecture",
                problem: "“\(type ?? "no GGUF file")” is no vision tower; an mmproj file says “clip”")
        }
        self.metadata = metadata
    }

    /// The projector's kind; the first files, all LLaVA's, do not say.
    var type: String { get throws { try metadata.stringIfPresent("clip.projector_type") ?? "mlp" } }

    func requireType(_ expected: String) throws {
        let actual = try type
        guard actual == expected, try metadata.bool("clip.has_vision_encoder", default: true) else {
            throw ModelError.configuration(
                file: metadata.file, key: "clip.projector_type",
                problem: "“\(actual)” is not supported here; expected “\(expected)”")
        }
    }

    /// The tower.
    /// - Parameter gelu: the activation that the file's GELU means; the file does not tell the exact one from its approximation.
    func vision(family: VisionTower.Configuration.Family, gelu: Activation) throws -> VisionTower.Configuration {
        func int(_ name: String) throws -> (key: String, value: Int) {
            ("clip.vision.\(name)", try metadata.int("clip.vision.\(name)"))
        }
        let image = try int("image_size")
        let activation: Activation =
            if try metadata.bool("clip.use_gelu", default: false) {
                gelu
            } else if try metadata.bool("clip.use_silu", default: false) { .silu } else { .quickGelu }
        return try VisionTower.Configuration(
            file: metadata.file, family: family,
            sizes: .init(
                hiddenSize: int("embedding_length"), heads: int("attention.head_count"), layers: int("block_count"),
                intermediateSize: int("feed_forward_length"), patchSize: int("patch_size"), imageHeight: image,
                imageWidth: image),
            activation: activation,
            epsilon: Float(metadata.doubleIfPresent("clip.vision.attention.layer_norm_epsilon") ?? family.epsilon))
    }

    /// The processor of this name, with the file's mean and deviation.
    func imageProcessor(_ type: String) throws -> ImageProcessorConfiguration {
        var configuration = ImageProcessorConfiguration(type: type)
        func channels(_ name: String) throws -> [Double]? {
            metadata[name] == nil ? nil : try metadata.floats(name).map(Double.init)
        }
        configuration.imageMean = try channels("clip.vision.image_mean")
        configuration.imageStd = try channels("clip.vision.image_std")
        return configuration
    }

    /// Both files as one source of weights.
    /// - Parameters:
    ///   - text: the model's name of its Llama, before `model.` and `lm_head.`.
    ///   - tower: the model's name of its tower.
    ///   - projector: the file's names by the model's, for what is not the tower.
    func weightSource(with textModel: Checkpoint, text: String, tower: String, projector: [String: String]) throws
        -> WeightSource
    {
        WeightSource(joining: [
            WeightSource(checkpoint: textModel, naming: TextNaming(prefix: text)),
            WeightSource(checkpoint: checkpoint, naming: try TowerNaming(checkpoint, prefix: tower, others: projector)),
        ])
    }

    /// The token that stands for pictures. Vocabularies of text models converted before the picture was added lack it: then
    /// it is one beyond them.
    static func imageToken(_ gguf: GGUFMetadata, vocabulary: Int) throws -> Int {
        let tokens = gguf["tokenizer.ggml.tokens"] == nil ? [] : try gguf.strings("tokenizer.ggml.tokens")
        return tokens.firstIndex(of: "<image>") ?? vocabulary
    }

    // MARK: Names

    /// Llama's names in GGUF files, asked for as a larger model's text model.
    private struct TextNaming: CheckpointNaming {
        let prefix: String

        func candidates(for key: String) -> [StoredSlice] {
            key.hasPrefix(prefix) ? GGUFLlamaNaming().candidates(for: String(key.dropFirst(prefix.count))) : []
        }
    }

    /// Names of a tower with CLIP's names, and of the projector, in the file.
    private struct TowerNaming: CheckpointNaming {
        private let prefix: String
        private let others: [String: String]
        private var modules = [
            "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
            "self_attn.out_proj": "attn_out",
            "layer_norm1": "ln1", "layer_norm2": "ln2", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down",
        ]
        private static let tops = [
            "embeddings.class_embedding": "v.class_embd", "embeddings.patch_embedding.weight": "v.patch_embd.weight",
            "embeddings.patch_embedding.bias": "v.patch_embd.bias",
            "embeddings.position_embedding.weight": "v.position_embd.weight",
            "pre_layrnorm.weight": "v.pre_ln.weight", "pre_layrnorm.bias": "v.pre_ln.bias",
            "post_layernorm.weight": "v.post_ln.weight",
            "post_layernorm.bias": "v.post_ln.bias",
        ]

        /// Earlier converters call the first feed-forward layer "down" and the second "up", later ones the other way round:
        /// the first one's inputs are as many as a norm has.
        init(_ checkpoint: Checkpoint, prefix: String, others: [String: String]) throws {
            self.prefix = prefix
            self.others = others
            let (down, norm) = ("v.blk.0.ffn_down.weight", "v.blk.0.ln2.weight")
            if checkpoint.contains(down), checkpoint.contains(norm),
                try checkpoint.entry(down).shape.last == checkpoint.entry(norm).shape.last
            {
                modules["mlp.fc1"] = "ffn_down"
                modules["mlp.fc2"] = "ffn_up"
            }
        }

        func candidates(for key: String) -> [StoredSlice] {
            if let other = others[key] { return [StoredSlice(other)] }
            guard key.hasPrefix(prefix) else { return [] }
            let name = key.dropFirst(prefix.count)
            if let top = Self.tops[String(name)] { return [StoredSlice(top)] }
            let layers = "encoder.layers."
            guard name.hasPrefix(layers), let dot = name.lastIndex(of: ".") else { return [] }
            let parts = name[..<dot].dropFirst(layers.count).split(separator: ".", maxSplits: 1)
            guard parts.count == 2, let module = modules[String(parts[1])] else { return [] }
            return [StoredSlice("v.blk.\(parts[0]).\(module)\(name[dot...])")]
        }
    }
}
