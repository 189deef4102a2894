import Checkpoint
import Compute
import JSON
import Transformer

extension VisionTower.Configuration {
    /// Properties of a tower's family that its configuration does not give, and its values for absent keys.
    struct Family {
        var hiddenSize: Int
        var layers: Int
        var heads: Int
        var intermediateSize: Int
        var imageSize: Int
        var patchSize: Int
        var activation: String
        var epsilon: Double
        var hasClassToken: Bool
        var patchHasBias: Bool
        var hasPreNorm: Bool
        var hasFinalNorm: Bool

        /// CLIP's (Radford et al. 2021), whose last norm nobody reads where its features are taken.
        static let clip = Family(
            hiddenSize: 768, layers: 12, heads: 12, intermediateSize: 3072, imageSize: 224, patchSize: 32,
            activation: "quick_gelu",
            epsilon: 1e-5,
            hasClassToken: true, patchHasBias: false, hasPreNorm: true, hasFinalNorm: false)
        /// SigLIP's (Zhai et al. 2023) as Idefics3 and SmolVLM have it.
        static let siglip = Family(
            hiddenSize: 1152, layers: 12, heads: 16, intermediateSize: 3072, imageSize: 224, patchSize: 32,
            activation: "gelu_pytorch_tanh", epsilon: 1e-6,
            hasClassToken: false, patchHasBias: true, hasPreNorm: false, hasFinalNorm: true)
        /// ViT's and DeiT's (Dosovitskiy et al. 2021).
        static let vit = Family(
            hiddenSize: 768, layers: 12, heads: 12, intermediateSize: 3072, imageSize: 224, patchSize: 16,
            activation: "gelu",
            epsilon: 1e-12,
            hasClassToken: true, patchHasBias: true, hasPreNorm: false, hasFinalNorm: true)
        static let blip = Family(
            hiddenSize: 768, layers: 12, heads: 12, intermediateSize: 3072, imageSize: 384, patchSize: 16,
            activation: "gelu",
            epsilon: 1e-5,
            hasClassToken: true, patchHasBias: true, hasPreNorm: false, hasFinalNorm: true)
    }

    /// Reads the part of a `config.json` that describes a vision tower.
    init(_ file: JSONReader, family: Family) throws {
        let hiddenSize = try file.int("hidden_size", default: family.hiddenSize)
        let heads = try file.int("num_attention_heads", default: family.heads)
        let layers = try file.int("num_hidden_layers", default: family.layers)
        let intermediateSize = try file.int("intermediate_size", default: family.intermediateSize)
        let patch = try file.ints("patch_size", default: [family.patchSize])
        let image = try file.ints("image_size", default: [family.imageSize])
        func key(_ name: String) -> String { file.path(of: name) }
        guard let patchSize = patch.first, patch.allSatisfy({ $0 == patchSize }) else {
            throw ModelError.configuration(
                file: file.file, key: key("patch_size"), problem: "\(patch) is not one size: patches are square here")
        }
        guard let height = image.first, let width = image.last, image.count <= 2 else {
            throw ModelError.configuration(
                file: file.file, key: key("image_size"), problem: "\(image) is not one size or height and width")
        }
        let channels = try file.int("num_channels", default: 3)
        guard channels == 3 else {
            throw ModelError.configuration(
                file: file.file, key: key("num_channels"), problem: "\(channels) channels; pictures have 3 here")
        }
        try self.init(
            file: file.file, family: family,
            sizes: .init(
                hiddenSize: (key("hidden_size"), hiddenSize), heads: (key("num_attention_heads"), heads),
                layers: (key("num_hidden_layers"), layers),
                intermediateSize: (key("intermediate_size"), intermediateSize),
                patchSize: (key("patch_size"), patchSize),
                imageHeight: (key("image_size"), height), imageWidth: (key("image_size"), width)),
            activation: Activation(named: "hidden_act", in: file, default: family.activation),
            epsilon: Float(file.double("layer_norm_eps", default: family.epsilon)))
    }

    /// Sizes with what the file calls them.
    struct Sizes {
        var hiddenSize, heads, layers, intermediateSize, patchSize, imageHeight, imageWidth: (key: String, value: Int)
    }

    /// Checks the sizes a file gives and puts them together.
    init(file: String, family: Family, sizes s: Sizes, activation: Activation, epsilon: Float) throws {
        try ModelError.requireRange(
            file,
            [
                (s.hiddenSize.key, s.hiddenSize.value, .from(1, to: 65536)),
                (s.heads.key, s.heads.value, .from(1, to: 1024)),
                (s.layers.key, s.layers.value, .from(1, to: 1024)),
                (s.intermediateSize.key, s.intermediateSize.value, .from(1, to: 1_000_000)),
                (s.imageHeight.key, s.imageHeight.value, .from(1, to: 8192)),
                (s.imageWidth.key, s.imageWidth.value, .from(1, to: 8192)),
                (s.patchSize.key, s.patchSize.value, .from(1, to: min(s.imageHeight.value, s.imageWidth.value))),
            ])
        guard s.hiddenSize.value % s.heads.value == 0,
            s.hiddenSize.value / s.heads.value <= AttentionSelection.largestHead
        else {
            throw ModelError.configuration(
                file: file, key: s.heads.key,
                problem:
                    "\(s.hiddenSize.value) elements do not divide into \(s.heads.value) heads of at most \(AttentionSelection.largestHead)"
            )
        }
        guard epsilon.isFinite, epsilon >= 0 else {
            throw ModelError.configuration(file: file, key: "layer_norm_eps", problem: "\(epsilon) is no small number")
        }
        let grid = PatchGrid(
            imageHeight: s.imageHeight.value, imageWidth: s.imageWidth.value, patchSize: s.patchSize.value)
        guard grid.count <= 1 << 16 else {
            throw ModelError.configuration(
                file: file, key: s.patchSize.key, problem: "\(grid.count) patches are too many; at most \(1 << 16)")
        }
        self.init(
            layer: .init(
                hiddenSize: s.hiddenSize.value, heads: s.heads.value, intermediateSize: s.intermediateSize.value,
                epsilon: epsilon,
                activation: activation),
            layers: s.layers.value, grid: grid, hasClassToken: family.hasClassToken, patchHasBias: family.patchHasBias,
            hasPreNorm: family.hasPreNorm, hasFinalNorm: family.hasFinalNorm)
    }
}
