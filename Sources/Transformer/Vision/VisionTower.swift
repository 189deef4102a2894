import Compute
import NumberFormats

/// A vision transformer (Dosovitskiy et al. 2021; Radford et al. 2021; Zhai et al. 2023): patches and perhaps a class
/// token with learned positions, then layers in which all attend to all. One run is one picture or tile; a picture in
/// tiles runs tile by tile, so that memory stays that of one.
package final class VisionTower: PictureEncoder {
    package struct Configuration: Sendable, Hashable {
        package var layer: LayerShape
        package var layers: Int
        package var grid: PatchGrid
        package var hasClassToken: Bool
        /// A second token of its own before the patches (DeiT's).
        package var hasDistillationToken = false
        package var patchHasBias: Bool
        /// A norm before the first layer.
        package var hasPreNorm: Bool
        /// A norm after the last layer that `encode` applies.
        package var hasFinalNorm: Bool

        package init(
            layer: LayerShape, layers: Int, grid: PatchGrid, hasClassToken: Bool, patchHasBias: Bool,
            hasPreNorm: Bool,
            hasFinalNorm: Bool
        ) {
            self.layer = layer
            self.layers = layers
            self.grid = grid
            self.hasClassToken = hasClassToken
            self.patchHasBias = patchHasBias
            self.hasPreNorm = hasPreNorm
            self.hasFinalNorm = hasFinalNorm
        }

        /// Rows before the patches.
        package var leadingTokens: Int { (hasClassToken ? 1 : 0) + (hasDistillationToken ? 1 : 0) }
        /// Rows of the sequence: the class token, where there is one, before the patches.
        package var tokens: Int { grid.count + leadingTokens }
    }

    /// Names of the parts in a checkpoint, below the tower's own name.
    package struct Names: Sendable {
        package var patches = "embeddings.patch_embedding"
        package var classToken = "embeddings.class_embedding"
        package var distillationToken = "embeddings.distillation_token"
        package var positions = "embeddings.position_embedding.weight"
        package var preNorm = "pre_layrnorm"
        /// The layers' common name; each has its number behind it.
        package var layers = "encoder.layers"
        package var layer = LayerNames.clip
        package var finalNorm = "post_layernorm"

        package init() {}

        /// CLIP's and SigLIP's; CLIP's first norm is misspelled in every checkpoint.
        package static let clip = Names()

        package static let blip: Names = {
            var names = Names()
            names.positions = "embeddings.position_embedding"
            names.layer = .blip
            return names
        }()

        package static let vit: Names = {
            var names = Names()
            names.patches = "embeddings.patch_embeddings.projection"
            names.classToken = "embeddings.cls_token"
            names.positions = "embeddings.position_embeddings"
            names.layers = "encoder.layer"
            names.layer = .vit
            names.finalNorm = "layernorm"
            return names
        }()
    }

    package let configuration: Configuration
    private let embedding: PatchEmbedding
    /// The tokens before the patches.
    private let leading: [Parameter]
    private let positions: Parameter
    private let preNorm: LayerNorm?
    private let encoder: Encoder
    /// The patches on their way to the device: a resource that the model which has the tower allocates.
    package let input: InputBuffer

    /// Declares the tower.
    /// - Parameters:
    ///   - scope: the tower's place in the checkpoint.
    ///   - phase: of the workspace. A phase of its own lets decoders use the same bytes.
    package init(
        _ scope: ParameterScope, configuration c: Configuration, names: Names, workspace: Workspace,
        phase: String = "vision"
    ) {
        configuration = c
        embedding = PatchEmbedding(
            scope(names.patches), grid: c.grid, hiddenSize: c.layer.hiddenSize, bias: c.patchHasBias)
        leading = [(names.classToken, c.hasClassToken), (names.distillationToken, c.hasDistillationToken)].filter(\.1)
            .map {
                scope.vector($0.0, count: c.layer.hiddenSize)
            }
        positions = scope.table(names.positions, rows: c.tokens, columns: c.layer.hiddenSize)
        preNorm =
            c.hasPreNorm ? LayerNorm(scope(names.preNorm), size: c.layer.hiddenSize, epsilon: c.layer.epsilon) : nil
        encoder = Encoder(
            blocks: (0..<c.layers).map {
                .vision(scope("\(names.layers).\($0)"), layer: $0, shape: c.layer, names: names.layer)
            },
            finalNorm: c.hasFinalNorm
                ? LayerNorm(scope(names.finalNorm), size: c.layer.hiddenSize, epsilon: c.layer.epsilon) : nil,
            hiddenSize: c.layer.hiddenSize, rows: c.tokens, workspace: workspace, phase: phase)
        input = InputBuffer(label: "picture patches", byteCount: c.grid.count * c.grid.patchValues * 4)
    }

    /// Runs the first layers over one picture or tile.
    /// - Parameters:
    ///   - pixels: `[3, imageHeight, imageWidth]`, normalized.
    ///   - count: number of layers; all by default.
    ///   - observe: receives the residual stream `[tokens, size]` while the run is being issued: 0 before the first layer, i
    ///     after layer i − 1.
    /// - Returns: the residual stream after the last of them, `[tokens, size]`; it is overwritten by the next run.
    package func run(
        _ pixels: ArraySlice<Float>, layers count: Int? = nil, tap: AttentionTap,
        observe: HiddenStateObserver? = nil, on stream: CommandStream
    ) throws -> Tensor {
        let grid = configuration.grid
        guard pixels.count == grid.pixelValues else {
            throw TransformerError.inputShape(
                what: "the pixels of a picture", expected: [3, grid.imageHeight, grid.imageWidth],
                actual: [pixels.count])
        }
        // The device may still be reading the last picture's.
        try stream.finish()
        input.buffer.write(grid.arrange(pixels))
        let patches = Tensor(buffer: input.buffer, rows: grid.count, columns: grid.patchValues)
        let (x, first, tokens) = (encoder.states(configuration.tokens), leading.count, configuration.tokens)
        for (row, token) in leading.enumerated() {
            try stream.add(token.tensor, positions.tensor.rows(row..<row + 1), into: x.rows(row..<row + 1))
        }
        try embedding(
            patches, positions: positions.tensor.rows(first..<tokens), into: x.rows(first..<tokens), on: stream)
        try preNorm?(x, into: x, on: stream)
        let layers = 0..<(count ?? configuration.layers)
        try encoder.run(x, blocks: layers, tap: tap, observe: observe, on: stream)
        try observe?(layers.count, x)
        return x
    }

    /// Runs all layers and the final norm; `observe` receives the residual stream before that norm.
    /// - Returns: `[tokens, size]`; it is overwritten by the next run.
    package func encode(
        _ pixels: ArraySlice<Float>, tap: AttentionTap,
        observe: HiddenStateObserver? = nil,
        on stream: CommandStream
    ) throws -> Tensor {
        let x = try run(pixels, tap: tap, observe: observe, on: stream)
        try encoder.normalize(x, on: stream)
        return x
    }

    // MARK: PictureEncoder

    package var imageHeight: Int { configuration.grid.imageHeight }
    package var imageWidth: Int { configuration.grid.imageWidth }
    package var layerCount: Int { configuration.layers }
    package var outputSize: Int { configuration.layer.hiddenSize }
    package var tokens: Int { configuration.tokens }
    package var leadingTokens: Int { configuration.leadingTokens }
    package var gridColumns: Int { configuration.grid.columns }
    package var tokenPixels: Int { configuration.grid.patchSize }
    package var resources: [any DeviceResource] { [input] }
}
