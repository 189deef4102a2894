import Transformer

/// Names of Florence-2's weights: transformers', or those of the original repositories.
struct Florence2Naming: CheckpointNaming {
    private let plain = HuggingFaceNaming()

    func candidates(for key: String) -> [StoredSlice] {
        var names = [key]
        if key == "model.language_model.shared.weight" {
            names += ["encoder", "decoder"].map { "model.language_model.\($0).embed_tokens.weight" }
            names.append("lm_head.weight")
        }
        return names.flatMap { plain.candidates(for: $0) + [StoredSlice(Self.original($0))] }
    }

    /// The original repositories' name for transformers' own.
    static func original(_ key: String) -> String {
        func behind(_ prefix: String) -> Substring? { key.hasPrefix(prefix) ? key.dropFirst(prefix.count) : nil }
        if let rest = behind("model.language_model.") { return "language_model.model.\(rest)" }
        if let rest = behind("model.multi_modal_projector.") {
            switch rest {
            case "image_projection.weight": return "image_projection"
            default:
                return String(rest).replacing("image_position_embed.", with: "image_pos_embed.", maxReplacements: 1)
            }
        }
        guard let rest = behind("model.vision_tower.") else { return "language_model.\(key)" }
        var name = String(rest)
        if name.hasPrefix("convs.") { return "vision_tower." + name.replacing(".conv.", with: ".proj.") }
        let attention = name.contains(".spatial_block.") ? "window_attn" : "channel_attn"
        for (ours, theirs) in [
            (".norm1.", ".\(attention).norm."), (".norm2.", ".ffn.norm."), (".conv1.", ".conv1.fn.dw."),
            (".conv2.", ".conv2.fn.dw."), (".ffn.fc", ".ffn.fn.net.fc"),
            (".\(attention).qkv.", ".\(attention).fn.qkv."),
            (".\(attention).proj.", ".\(attention).fn.proj."),
        ] where name.contains(ours) {
            name = name.replacing(ours, with: theirs)
            break
        }
        return "vision_tower.\(name)"
    }
}
