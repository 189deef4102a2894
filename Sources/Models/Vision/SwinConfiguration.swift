import Compute
import JSON
import Transformer

extension SwinTower.Configuration {
    /// Reads the part of a `config.json` that describes Donut's Swin transformer.
    init(_ file: JSONReader) throws {
        func key(_ name: String) -> String { file.path(of: name) }
        let depths = try file.ints("depths", default: [2, 2, 6, 2])
        let heads = try file.ints("num_heads", default: [3, 6, 12, 24])
        let image = try file.ints("image_size", default: [224])
        let patch = try file.int("patch_size", default: 4)
        let (channels, window) = (
            try file.int("embed_dim", default: 96), try file.int("window_size", default: 7)
        )
        guard let height = image.first, let width = image.last, image.count <= 2 else {
            throw ModelError.configuration(
                file: file.file, key: key("image_size"), problem: "\(image) is not one size or height and width")
        }
        guard depths.count == heads.count, (1...8).contains(depths.count) else {
            throw ModelError.configuration(
                file: file.file, key: key("num_heads"),
                problem:
                    "\(heads) and \(depths) are not one number of heads and one of blocks for each of 1 to 8 stages")
        }
        let channelLimit = 65536 >> (depths.count - 1)
        try ModelError.requireRange(
            file.file,
            [
                (key("embed_dim"), channels, .from(1, to: channelLimit)),
                (key("window_size"), window, .from(1, to: 64)),
                (key("patch_size"), patch, .from(1, to: 64)),
                (key("image_size"), height, .from(patch, to: 8192)), (key("image_size"), width, .from(patch, to: 8192)),
            ] + depths.map { (key("depths"), $0, .from(1, to: 256)) }
                + heads.map { (key("num_heads"), $0, .from(1, to: 1024)) })
        for (index, count) in heads.enumerated() {
            let size = channels << index
            guard size % count == 0, size / count <= AttentionSelection.largestHead else {
                throw ModelError.configuration(
                    file: file.file, key: key("num_heads"),
                    problem:
                        "\(count) heads do not divide \(size) channels into heads of at most \(AttentionSelection.largestHead)"
                )
            }
        }
        guard height % patch == 0, width % patch == 0 else {
            throw ModelError.configuration(
                file: file.file, key: key("image_size"), problem: "\(height)×\(width) is not whole patches of \(patch)")
        }
        guard try !file.bool("use_absolute_embeddings", default: false) else {
            throw ModelError.configuration(
                file: file.file, key: key("use_absolute_embeddings"), problem: "such positions are not supported")
        }
        let ratio = try file.double("mlp_ratio", default: 4)
        guard ratio > 0, ratio <= 64 else {
            throw ModelError.configuration(
                file: file.file, key: key("mlp_ratio"), problem: "\(ratio) is not within 0…64")
        }
        self.init(
            patches: PatchGrid(imageHeight: height, imageWidth: width, patchSize: patch), channels: channels,
            stages: zip(depths, heads).map { SwinTower.Stage(depth: $0, heads: $1) }, window: window,
            feedForwardRatio: ratio, hasBias: try file.bool("qkv_bias", default: true),
            epsilon: Float(try file.double("layer_norm_eps", default: 1e-5)),
            activation: try Activation(named: "hidden_act", in: file, default: "gelu"))
    }
}
