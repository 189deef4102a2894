import Checkpoint
import Compute
import NumberFormats
import Transformer

/// A text encoder-decoder on the shared post-norm layers: its own are only the configuration's defaults.
package protocol PostNormModel: TextEncoderDecoder {
    /// What the architecture is where a `config.json` says nothing.
    static var defaults: PostNormConfiguration { get }
    /// Layers, memory and names.
    var parts: PostNormParts { get }
    init(configuration: PostNormConfiguration)
}

/// What a post-norm model is made of.
package struct PostNormParts {
    let configuration: PostNormConfiguration
    let runner: EncoderDecoderRunner
    let sourceInput: SourceInput
    let encoder: PostNormEncoder

    /// Declares the model; nothing is allocated.
    init(name: String, configuration c: PostNormConfiguration) {
        configuration = c
        let parameters = ParameterList()
        let workspace = Workspace()
        let (encoderScope, decoderScope) = (
            ParameterScope(list: parameters, prefix: "model.", purpose: .weightsEncoder),
            ParameterScope(list: parameters, prefix: "model.", purpose: .weightsDecoder)
        )
        func table(_ scope: ParameterScope, _ key: String, _ vocabulary: Int) -> Parameter {
            scope.matrix(key, outputs: vocabulary, inputs: c.size)
        }
        let decoderEmbedding = table(
            decoderScope, c.sharesEmbedding ? "shared.weight" : "decoder.embed_tokens.weight", c.decoderVocabulary)
        let encoderEmbedding =
            c.sharesEmbedding ? decoderEmbedding : table(encoderScope, "encoder.embed_tokens.weight", c.vocabulary)
        let top = ParameterScope(list: parameters, purpose: .weightsDecoder)
        encoder = PostNormEncoder(
            encoderScope("encoder"), embedding: encoderEmbedding, configuration: c, workspace: workspace)
        let decoder = PostNormDecoder(
            decoderScope("decoder"), embedding: decoderEmbedding,
            output: c.isTied ? decoderEmbedding : table(top, "lm_head.weight", c.decoderVocabulary),
            outputBias: top.optionalTable("final_logits_bias", rows: 1, columns: c.decoderVocabulary), configuration: c,
            workspace: workspace)
        sourceInput = SourceInput(capacity: c.positions)
        runner = EncoderDecoderRunner(
            shape: .init(
                name: name, vocabulary: c.decoderVocabulary, decoderLayers: c.decoder.layers,
                decoderHeads: c.decoder.heads,
                keyValueWidth: c.size, sourcePositions: c.positions, positions: c.positions),
            parameters: parameters, workspace: workspace, decoder: decoder, resources: [sourceInput])
    }
}

extension PostNormModel {
    package var configuration: PostNormConfiguration { parts.configuration }
    package var runner: EncoderDecoderRunner { parts.runner }
    package var sourceInput: SourceInput { parts.sourceInput }
    package var sourceVocabulary: Int { configuration.vocabulary }
    package var encoderLayers: Int { configuration.encoder.layers }
    package var startTokens: [Int] { [configuration.startToken] }
    package var endTokens: Set<Int> { configuration.endTokens }

    package func runEncoder(_ tokens: Tensor, _ pass: EncoderPass) throws -> Tensor { try parts.encoder(tokens, pass) }

    package static func make(from files: ModelFiles) throws -> Self {
        guard let file = files.configuration else {
            throw ModelError.configuration(file: files.path, key: "model_type", problem: "there is no config.json")
        }
        var configuration = try PostNormConfiguration(file, defaults: defaults)
        let naming = PostNormNaming(sharesEmbedding: configuration.sharesEmbedding)
        // An output projection of its own wins over the configuration's word; a missing one is the embedding.
        let embedding = configuration.sharesEmbedding ? "model.shared.weight" : "model.decoder.embed_tokens.weight"
        configuration.isTied =
            !(try EmbeddingAliases(checkpoint: files.checkpoint, naming: naming).areDifferent(
                "lm_head.weight", embedding))
        let model = Self(configuration: configuration)
        try model.weightSource(files).assignFormats(to: model.runner.parameters)
        return model
    }

    package func weightSource(_ files: ModelFiles) -> WeightSource {
        WeightSource(
            checkpoint: files.checkpoint, naming: PostNormNaming(sharesEmbedding: configuration.sharesEmbedding))
    }
}

/// Hugging Face names, with or without `model.`; a shared embedding has several.
struct PostNormNaming: CheckpointNaming {
    let sharesEmbedding: Bool
    private let plain = HuggingFaceNaming()

    init(sharesEmbedding: Bool) { self.sharesEmbedding = sharesEmbedding }

    func candidates(for key: String) -> [StoredSlice] {
        var names = [key]
        if key == "lm_head.weight" {
            names.append("model.decoder.output_projection.weight")
        } else if sharesEmbedding, key == "model.shared.weight" {
            names += [
                "model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight",
                "model.decoder.output_projection.weight",
            ]
        }
        return names.flatMap { plain.candidates(for: $0) }
    }
}
