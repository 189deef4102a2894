import Checkpoint
import Foundation
import JSON
import Media
import Transformer

/// Llama 3.2 Vision as Ollama stores it: one GGUF file, or (before version 0.7) a text model and a tower whose blocks have
/// CLIP's names. Reference: ollama 0.9.6, convert/convert_mllama.go and model/models/mllama.
///
/// Rows of queries and keys are in the order of neighboring pairs, those of cross-attention too; only the norms of its heads
/// are not, and are brought into that order here. Gates of the tower are stored behind the hyperbolic tangent.
struct OllamaMllama {
    private let text: Checkpoint
    private let tower: Checkpoint
    private let gguf: GGUFMetadata
    private let towerMetadata: GGUFMetadata

    /// - Throws: `ModelError` when the files are a text model alone.
    init(_ gguf: GGUFMetadata, _ files: ModelFiles) throws {
        self.gguf = gguf
        text = files.checkpoint
        tower = files.projector ?? files.checkpoint
        guard let metadata = tower.gguf, metadata["mllama.vision.block_count"] != nil else {
            throw ModelError.configuration(
                file: files.path, key: "mllama.vision.block_count",
                problem: "the vision tower is in another file: give it with --mmproj")
        }
        towerMetadata = metadata
    }

    // MARK: Configuration

    func configuration() throws -> Mllama.Configuration {
        func text(_ key: String) throws -> JSONValue { .integer(try gguf.int("mllama.\(key)")) }
        func vision(_ key: String) throws -> JSONValue { .integer(try towerMetadata.int("mllama.vision.\(key)")) }
        func list(_ values: [Int]) -> JSONValue { .array(values.map { .integer($0) }) }
        let tokens = gguf["tokenizer.ggml.tokens"] == nil ? [] : try gguf.strings("tokenizer.ggml.tokens")
        let vocabulary = try gguf.intIfPresent("mllama.vocab_size") ?? self.text.entry("output.weight").shape.first ?? 0
        let members: JSONObject = [
            "text_config": .object([
                "vocab_size": .integer(vocabulary), "hidden_size": try text("embedding_length"),
                "num_hidden_layers": try text("block_count"), "num_attention_heads": try text("attention.head_count"),
                "num_key_value_heads": try text("attention.head_count_kv"),
                "intermediate_size": try text("feed_forward_length"),
                "max_position_embeddings": .integer(try gguf.intIfPresent("mllama.context_length") ?? 131_072),
                "rms_norm_eps": .number(try gguf.double("mllama.attention.layer_norm_rms_epsilon")),
                "rope_theta": .number(try gguf.doubleIfPresent("mllama.rope.freq_base") ?? 500_000),
                "cross_attention_layers": list(try gguf.ints("mllama.attention.cross_attention_layers")),
            ]),
            "vision_config": .object([
                "hidden_size": try vision("embedding_length"), "attention_heads": try vision("attention.head_count"),
                "num_hidden_layers": try vision("block_count"), "num_global_layers": try vision("global.block_count"),
                "intermediate_size": try vision("feed_forward_length"), "patch_size": try vision("patch_size"),
                "image_size": try vision("image_size"), "max_num_tiles": try vision("max_num_tiles"),
                "num_channels": .integer(try towerMetadata.intIfPresent("mllama.vision.num_channels") ?? 3),
                "norm_eps": .number(try towerMetadata.double("mllama.vision.attention.layer_norm_epsilon")),
                "intermediate_layers_indices": list(
                    try towerMetadata.ints("mllama.vision.intermediate_layers_indices")),
            ]),
            "image_token_index": .integer(tokens.firstIndex(of: "<|image|>") ?? vocabulary),
        ]
        var configuration = try Mllama.Configuration(JSONReader(.object(members), file: gguf.file))
        configuration.text.hasInterleavedPairs = true
        if self.text.contains("rope_freqs.weight") {
            _ = try self.text.entry("rope_freqs.weight", shape: [configuration.text.rotaryDimension / 2])
            configuration.text.rotaryScaling = .divisors(try self.text.floats("rope_freqs.weight"))
        }
        return configuration
    }

    /// The picture's settings, of which the file has sizes only: mean and deviation are CLIP's.
    func imageProcessor() throws -> any ImageProcessor {
        var configuration = ImageProcessorConfiguration(type: "Mllama")
        let edge = try towerMetadata.int("mllama.vision.image_size")
        configuration.size = .init(height: edge, width: edge)
        configuration.maxImageTiles = try towerMetadata.int("mllama.vision.max_num_tiles")
        return try ImageProcessors.make(configuration)
    }

    // MARK: Weights

    func weightSource() throws -> WeightSource {
        WeightSource(joining: [
            WeightSource(
                checkpoint: try .computed(adapted(), path: tower.path), naming: HuggingFaceNaming(optionalPrefixes: [])),
            WeightSource(checkpoint: text, naming: TextNaming()),
            WeightSource(checkpoint: tower, naming: TowerNaming(isEarly: tower.contains("v.blk.0.ln1.weight"))),
        ])
    }

    /// Small tensors whose values differ from the model's: gates of the tower, and norms of heads of the text model.
    private func adapted() throws -> [(name: String, shape: [Int], values: [Float])] {
        var result: [(name: String, shape: [Int], values: [Float])] = []
        func gate(_ name: String, _ stored: String) throws {
            _ = try tower.entry(stored, shape: [1])
            result.append((name, [1], try tower.floats(stored).map { Float(atanh(Double($0))) }))
        }
        let vision = "vision_model."
        // The gate of the positions of patches, `v.position_embd.gate`, is 1 − tanh of the same number.
        try gate(vision + "gated_positional_embedding.gate", "v.tile_position_embd.gate")
        try gate(vision + "pre_tile_positional_embedding.gate", "v.pre_tile_position_embd.gate")
        try gate(vision + "post_tile_positional_embedding.gate", "v.post_tile_position_embd.gate")
        for layer in 0..<(try towerMetadata.int("mllama.vision.global.block_count")) {
            let scope = vision + "global_transformer.layers.\(layer)."
            try gate(scope + "gate_attn", "v.global.blk.\(layer).attn_gate")
            try gate(scope + "gate_ffn", "v.global.blk.\(layer).ffn_gate")
        }
        for layer in try gguf.ints("mllama.attention.cross_attention_layers") {
            for name in ["q_norm", "k_norm"] {
                let values = try text.floats("blk.\(layer).cross_attn_\(name).weight"), half = values.count / 2
                guard values.count == 2 * half else { continue }
                result.append(
                    (
                        "language_model.model.layers.\(layer).cross_attn.\(name).weight", [values.count],
                        values.indices.map { values[$0 % 2 * half + $0 / 2] }
                    ))
            }
        }
        return result
    }

    // MARK: Names

    /// Llama's names in GGUF files, and those of the layers that attend to pictures.
    private struct TextNaming: CheckpointNaming {
        private static let prefix = "language_model."

        func candidates(for key: String) -> [StoredSlice] {
            guard key.hasPrefix(Self.prefix) else { return [] }
            let name = key.dropFirst(Self.prefix.count)
            let parts = name.split(separator: ".", maxSplits: 3)
            if parts.count == 4, parts[1] == "layers", parts[3].hasPrefix("cross_attn") {
                return [StoredSlice("blk.\(parts[2]).\(parts[3].replacing("cross_attn.", with: "cross_attn_"))")]
            }
            return GGUFLlamaNaming().candidates(for: String(name))
        }
    }

    private struct TowerNaming: CheckpointNaming {
        private static let tops = [
            "patch_embedding.weight": "v.patch_embd.weight", "class_embedding": "v.class_embd",
            "gated_positional_embedding.embedding": "v.position_embd.weight",
            "gated_positional_embedding.tile_embedding.weight": "v.tile_position_embd.weight",
            "pre_tile_positional_embedding.embedding.weight": "v.pre_tile_position_embd.weight",
            "post_tile_positional_embedding.embedding.weight": "v.post_tile_position_embd.weight",
            "layernorm_pre.weight": "v.pre_ln.weight", "layernorm_pre.bias": "v.pre_ln.bias",
            "layernorm_post.weight": "v.post_ln.weight", "layernorm_post.bias": "v.post_ln.bias",
        ]
        private static let stacks = ["transformer": "v.blk", "global_transformer": "v.global.blk"]
        private let modules: [String: String]

        /// - Parameter isEarly: blocks have CLIP's names, and the feed-forward layers each other's.
        init(isEarly: Bool) {
            let common = ["self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v"]
            let own =
                isEarly
                ? [
                    "input_layernorm": "ln1", "post_attention_layernorm": "ln2", "self_attn.o_proj": "attn_out",
                    "mlp.fc1": "ffn_down", "mlp.fc2": "ffn_up",
                ]
                : [
                    "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
                    "self_attn.o_proj": "attn_output", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down",
                ]
            modules = common.merging(own) { first, _ in first }
        }

        func candidates(for key: String) -> [StoredSlice] {
            if key.hasPrefix("multi_modal_projector.") { return [StoredSlice("mm.0." + key.split(separator: ".")[1])] }
            guard key.hasPrefix("vision_model.") else { return [] }
            let name = key.dropFirst("vision_model.".count)
            if let top = Self.tops[String(name)] { return [StoredSlice(top)] }
            // STACK.layers.N.<module>.<leaf>
            let parts = name.split(separator: ".", maxSplits: 3).map(String.init)
            guard parts.count == 4, parts[1] == "layers", let stack = Self.stacks[parts[0]],
                let dot = parts[3].lastIndex(of: "."), let module = modules[String(parts[3][..<dot])]
            else { return [] }
            return [StoredSlice("\(stack).\(parts[2]).\(module)\(parts[3][dot...])")]
        }
    }
}
