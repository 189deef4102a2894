import AttentionTypes
import Checkpoint
import Transformer

// Whisper in the files of OpenAI (`.pt`) and whisper.cpp (`ggml-*.bin`): sizes in a header, OpenAI's names.

extension Whisper.Configuration {
    /// Reads the header of a file, and the intermediate sizes that it lacks from the shapes of tensors.
    package init(_ header: WhisperHeader, checkpoint: Checkpoint) throws {
        func intermediateSize(_ side: String) throws -> Int {
            try checkpoint.entry("\(side).blocks.0.mlp.0.weight").shape.first ?? 0
        }
        let sizes = header.dimensions
        guard sizes.audioWidth == sizes.textWidth else {
            throw ModelError.configuration(
                file: checkpoint.path, key: "n_audio_state", problem: "\(sizes.audioWidth) differs from n_text_state")
        }
        mels = sizes.mels
        vocabulary = sizes.vocabulary
        hiddenSize = sizes.textWidth
        encoderLayers = sizes.audioLayers
        encoderHeads = sizes.audioHeads
        encoderIntermediateSize = try intermediateSize("encoder")
        decoderLayers = sizes.textLayers
        decoderHeads = sizes.textHeads
        decoderIntermediateSize = try intermediateSize("decoder")
        audioPositions = sizes.audioPositions
        textPositions = sizes.textPositions
        contextLength = textPositions
        try validate(file: checkpoint.path)
        alignmentHeads = (Self.publishedAlignmentHeads[.init(sizes)] ?? []).map {
            AttentionHead(kind: .cross, layer: $0.layer, head: $0.head)
        }
    }

    /// The sizes that tell the published models apart. Large and large-v2 have the same and are left out.
    private struct PublishedModel: Hashable {
        let width: Int
        let decoderLayers: Int
        let vocabulary: Int

        init(_ width: Int, _ decoderLayers: Int, _ vocabulary: Int) {
            self.width = width
            self.decoderLayers = decoderLayers
            self.vocabulary = vocabulary
        }

        init(_ sizes: WhisperHeader.Dimensions) { self.init(sizes.textWidth, sizes.textLayers, sizes.vocabulary) }
    }

    /// The decoder heads that follow the sound in the models that OpenAI has published. Its files do not name them; the
    /// list is part of its code, and of the generation_config.json of the same models.
    private static let publishedAlignmentHeads: [PublishedModel: [(layer: Int, head: Int)]] = [
        // tiny.en, tiny
        PublishedModel(384, 4, 51864): [(1, 0), (2, 0), (2, 5), (3, 0), (3, 1), (3, 2), (3, 3), (3, 4)],
        PublishedModel(384, 4, 51865): [(2, 2), (3, 0), (3, 2), (3, 3), (3, 4), (3, 5)],
        // base.en, base
        PublishedModel(512, 6, 51864): [(3, 3), (4, 7), (5, 1), (5, 5), (5, 7)],
        PublishedModel(512, 6, 51865): [(3, 1), (4, 2), (4, 3), (4, 7), (5, 1), (5, 2), (5, 4), (5, 6)],
        // small.en, small
        PublishedModel(768, 12, 51864): [
            (6, 6), (7, 0), (7, 3), (7, 8), (8, 2), (8, 5), (8, 7), (9, 0), (9, 4), (9, 8), (9, 10), (10, 0), (10, 1),
            (10, 2), (10, 3), (10, 6), (10, 11), (11, 2), (11, 4),
        ],
        PublishedModel(768, 12, 51865): [
            (5, 3), (5, 9), (8, 0), (8, 4), (8, 7), (8, 8), (9, 0), (9, 7), (9, 9), (10, 5),
        ],
        // medium.en, medium
        PublishedModel(1024, 24, 51864): [
            (11, 4), (14, 1), (14, 12), (14, 14), (15, 4), (16, 0), (16, 4), (16, 9), (17, 12), (17, 14), (18, 7),
            (18, 10), (18, 15), (20, 0), (20, 3), (20, 9), (20, 14), (21, 12),
        ],
        PublishedModel(1024, 24, 51865): [(13, 15), (15, 4), (15, 15), (16, 1), (20, 0), (23, 4)],
        // large-v3, large-v3-turbo
        PublishedModel(1280, 32, 51866): [
            (7, 0), (10, 17), (12, 18), (13, 12), (16, 1), (17, 14), (19, 11), (21, 4), (24, 1), (25, 6),
        ],
        PublishedModel(1280, 4, 51866): [(2, 4), (2, 11), (3, 3), (3, 6), (3, 11), (3, 14)],
    ]
}

/// The names of OpenAI's Whisper for those of Hugging Face.
package struct OpenAIWhisperNaming: CheckpointNaming {
    private static let modules = [
        "self_attn_layer_norm": "attn_ln", "encoder_attn_layer_norm": "cross_attn_ln", "final_layer_norm": "mlp_ln",
        "fc1": "mlp.0", "fc2": "mlp.2", "self_attn": "attn", "encoder_attn": "cross_attn", "q_proj": "query",
        "k_proj": "key", "v_proj": "value", "out_proj": "out", "layers": "blocks", "embed_tokens": "token_embedding",
    ]

    package init() {}

    package func candidates(for key: String) -> [StoredSlice] {
        // model.<side>.<module> … .<weight|bias>
        let path = key.split(separator: ".").map(String.init)
        guard path.count >= 4, path[0] == "model" else { return [] }
        let side = path[1]
        switch path[2] {
        case "embed_positions": return [StoredSlice("\(side).positional_embedding")]
        case "layer_norm": return [StoredSlice("\(side).\(side == "encoder" ? "ln_post" : "ln").\(path[3])")]
        default:
            return [StoredSlice(([side] + path.dropFirst(2).map { Self.modules[$0] ?? $0 }).joined(separator: "."))]
        }
    }
}
