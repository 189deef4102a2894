import JSON
import Checkpoint
import Compute
import Foundation
import Media
import TestSupport
import Testing

@testable import Models
@testable import Transformer

/// A fixture as llama.cpp has such a model: one GGUF file with the text model, one with tower and projector.
struct FilePair {
    /// Contents of the written files, and choices in which converters differ.
    struct Style: Sendable, CustomTestStringConvertible {
        let model: String
        /// Earlier converters write "down" for the first feed-forward layer and of LLaVA's tower only the layers that are read.
        let isEarly: Bool
        let hasImageToken: Bool
        var testDescription: String { "\(model), as \(isEarly ? "earlier" : "later") converters write it" }
        /// The fixture's vision tensors of a case.
        var fixture: PictureFixture { model == "llava" ? PictureFixture.all[0] : PictureFixture.all[1] }

        static let all = [
            Style(model: "llava", isEarly: true, hasImageToken: true),
            Style(model: "llava", isEarly: false, hasImageToken: false),
            Style(model: "smolvlm", isEarly: true, hasImageToken: false),
            Style(model: "smolvlm", isEarly: false, hasImageToken: true),
        ]
    }

    let style: Style
    let folder: TemporaryFolder
    /// The image token of the fixture's own configuration.
    let imageToken: Int
    private let source: Checkpoint
    private let configuration: JSONReader
    var text: String { folder.path("text.gguf") }
    var projector: String { folder.path("mmproj.gguf") }

    init(_ style: Style) throws {
        self.style = style
        folder = try TemporaryFolder()
        source = try Checkpoint.open(Fixtures.model(style.model).path)
        configuration = try JSONReader(
            contentsOf: Fixtures.model(style.model).appending(path: "config.v4.json").path)
        imageToken = try configuration.int(style.model == "llava" ? "image_token_index" : "image_token_id")
        try textFile().write(to: text)
        try projectorFile().write(to: projector)
    }

    func open() throws -> (any PromptPictureReader, ModelFiles) {
        let files = try ModelFiles(path: text, projector: projector)
        return (try #require(try ModelRegistry.make(from: files) as? any PromptPictureReader), files)
    }

    private func copy(_ name: String, as other: String, to file: inout GGUFFile) throws {
        file.add(other, shape: try source.entry(name).shape, try source.floats(name))
    }

    private func textFile() throws -> GGUFFile {
        let c = try configuration.object("text_config")
        let (prefix, head) =
            style.model == "llava"
            ? ("language_model.model.", "language_model.lm_head.weight") : ("model.text_model.", "lm_head.weight")
        var file = GGUFFile()
        file.set("general.architecture", .string("llama"))
        file.set("llama.embedding_length", .integer(try c.int("hidden_size")))
        file.set("llama.block_count", .integer(try c.int("num_hidden_layers")))
        file.set("llama.attention.head_count", .integer(try c.int("num_attention_heads")))
        file.set("llama.attention.head_count_kv", .integer(try c.int("num_key_value_heads")))
        file.set("llama.feed_forward_length", .integer(try c.int("intermediate_size")))
        file.set("llama.context_length", .integer(try c.int("max_position_embeddings")))
        file.set("llama.attention.layer_norm_rms_epsilon", .float(Float(try c.double("rms_norm_eps"))))
        file.set("llama.rope.freq_base", .float(Float(try c.double("rope_theta"))))
        if style.hasImageToken {
            file.set(
                "tokenizer.ggml.tokens",
                .strings((0..<(try c.int("vocab_size"))).map { $0 == imageToken ? "<image>" : "t\($0)" }))
        }
        let headDimension = try c.int("hidden_size") / c.int("num_attention_heads")
        try copy("\(prefix)embed_tokens.weight", as: "token_embd.weight", to: &file)
        try copy("\(prefix)norm.weight", as: "output_norm.weight", to: &file)
        try copy(head, as: "output.weight", to: &file)
        let modules = [
            "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate",
            "mlp.up_proj": "ffn_up",
            "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
        ]
        for layer in 0..<(try c.int("num_hidden_layers")) {
            let scope = "\(prefix)layers.\(layer)."
            for (name, other) in modules {
                try copy("\(scope)\(name).weight", as: "blk.\(layer).\(other).weight", to: &file)
            }
            for (name, other) in [("q_proj", "attn_q"), ("k_proj", "attn_k")] {
                // Element i of either half becomes element 2i or 2i + 1: neighbors are turned as a pair there.
                let name = "\(scope)self_attn.\(name).weight"
                let (shape, values) = (try source.entry(name).shape, try source.floats(name))
                let columns = shape[1]
                var turned: [Float] = []
                for row in 0..<shape[0] {
                    let (head, element) = (row / headDimension, row % headDimension)
                    let from = head * headDimension + element % 2 * (headDimension / 2) + element / 2
                    turned += values[from * columns..<(from + 1) * columns]
                }
                file.add("blk.\(layer).\(other).weight", shape: shape, turned)
            }
        }
        return file
    }

    private func projectorFile() throws -> GGUFFile {
        let c = try configuration.object("vision_config")
        let (isLLaVA, layers) = (style.model == "llava", try c.int("num_hidden_layers"))
        let written = isLLaVA && style.isEarly ? layers - 1 : layers
        var file = GGUFFile()
        file.set("general.architecture", .string("clip"))
        file.set("clip.has_vision_encoder", .bool(true))
        file.set("clip.projector_type", .string(isLLaVA ? "mlp" : "idefics3"))
        file.set("clip.use_gelu", .bool(!isLLaVA))
        file.set("clip.vision.image_size", .integer(try c.int("image_size")))
        file.set("clip.vision.patch_size", .integer(try c.int("patch_size")))
        file.set("clip.vision.embedding_length", .integer(try c.int("hidden_size")))
        file.set("clip.vision.feed_forward_length", .integer(try c.int("intermediate_size")))
        file.set("clip.vision.attention.head_count", .integer(try c.int("num_attention_heads")))
        file.set("clip.vision.attention.layer_norm_epsilon", .float(Float(try c.double("layer_norm_eps"))))
        file.set("clip.vision.block_count", .integer(written))
        file.set("clip.vision.image_mean", .floats(isLLaVA ? [0.48145466, 0.4578275, 0.40821073] : [0.5, 0.5, 0.5]))
        file.set("clip.vision.image_std", .floats(isLLaVA ? [0.26862954, 0.26130258, 0.27577711] : [0.5, 0.5, 0.5]))
        if isLLaVA, !style.isEarly { file.set("clip.vision.feature_layer", .integers([layers - 1])) }
        if !isLLaVA {
            file.set("clip.vision.projector.scale_factor", .integer(try configuration.int("scale_factor")))
            file.set("clip.vision.preproc_image_size", .integer(2 * (try c.int("image_size"))))
        }
        let prefix = isLLaVA ? "vision_tower.vision_model." : "model.vision_model."
        var tops = [
            "\(prefix)embeddings.patch_embedding.weight": "v.patch_embd.weight",
            "\(prefix)embeddings.position_embedding.weight": "v.position_embd.weight",
        ]
        if isLLaVA {
            tops["\(prefix)embeddings.class_embedding"] = "v.class_embd"
            for leaf in ["weight", "bias"] {
                tops["\(prefix)pre_layrnorm.\(leaf)"] = "v.pre_ln.\(leaf)"
                tops["multi_modal_projector.linear_1.\(leaf)"] = "mm.0.\(leaf)"
                tops["multi_modal_projector.linear_2.\(leaf)"] = "mm.2.\(leaf)"
            }
        } else {
            tops["\(prefix)embeddings.patch_embedding.bias"] = "v.patch_embd.bias"
            tops["model.connector.modality_projection.proj.weight"] = "mm.model.fc.weight"
        }
        if !isLLaVA || !style.isEarly {
            for leaf in ["weight", "bias"] { tops["\(prefix)post_layernorm.\(leaf)"] = "v.post_ln.\(leaf)" }
        }
        for (name, other) in tops { try copy(name, as: other, to: &file) }
        let modules = [
            "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
            "self_attn.out_proj": "attn_out",
            "layer_norm1": "ln1", "layer_norm2": "ln2", "mlp.fc1": style.isEarly ? "ffn_down" : "ffn_up",
            "mlp.fc2": style.isEarly ? "ffn_up" : "ffn_down",
        ]
        for layer in 0..<written {
            for (name, other) in modules {
                for leaf in ["weight", "bias"] {
                    try copy(
                        "\(prefix)encoder.layers.\(layer).\(name).\(leaf)", as: "v.blk.\(layer).\(other).\(leaf)",
                        to: &file)
                }
            }
        }
        return file
    }
}

@Suite(
    "Vision models from pairs of GGUF files", .usesDevice,
    .needsLargeFixtures, .serialized)
struct GGUFPairTests {
    @Test("give what the fixture's own files give", arguments: FilePair.Style.all)
    func golden(_ style: FilePair.Style) throws {
        let device = try TestDevice.open()
        let golden = try Fixtures.golden(style.model)
        let pair = try FilePair(style)
        let (model, files) = try pair.open()
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        let before = device.ledger.total
        try model.load(from: files, on: device) { _, _ in }
        #expect(device.ledger.total - before == planned.reduce(0) { $0 + $1.bytes })
        // A vocabulary without the token has it one beyond its end.
        let token = model.pictures.placeholder
        #expect(token == (style.hasImageToken ? pair.imageToken : model.vocabulary))
        for run in try style.fixture.cases(golden) where run.pictures.count == 1 {
            let prompt = try golden.integers("\(run.name)/input_ids").map { $0 == pair.imageToken ? token : $0 }
            let greedy = try golden.integers("\(run.name)/greedy")
            let prefix = style.fixture.visionPrefix(run.name, run.pictures[0])
            var text = TraceComparison(golden: golden, prefix: "\(run.name)/")
            var vision = TraceComparison(golden: golden, prefix: prefix)
            var options = TraceOptions()
            options.maximumTokens = greedy.count
            try model.trace(
                .pictures([PictureFixture.picture(run.pictures[0], golden, model, files)]), prompt: prompt,
                options: options
            ) { tensor in
                if tensor.name.hasPrefix("vision.") || tensor.name == "image_features" {
                    try vision.check(tensor)
                } else {
                    try text.check(tensor, as: tensor.name == "generated_ids" ? "greedy" : nil)
                }
            }
            #expect(text.missing(["step", "hidden", "greedy"]) == [])
            // Earlier converters leave out the layer that nobody reads.
            let last =
                style.model == "llava" && style.isEarly ? ["\(prefix)vision.attn.2", "\(prefix)vision.hidden.3"] : []
            #expect(vision.missing(["vision.", "image_features"]) == last)
        }
        model.unload()
        #expect(device.ledger.total == before)
    }

    @Test("the processor is the one the file describes", arguments: ["llava", "smolvlm"])
    func processor(_ name: String) throws {
        let (model, files) = try FilePair(.init(model: name, isEarly: true, hasImageToken: true)).open()
        let golden = try Fixtures.golden(name)
        let image = try ImageFile.load(path: Fixtures.models.appending(path: "inputs/image_b.png").path)
        let pixels = try type(of: model).imageProcessor(of: files).process(image).pixelValues
        #expect(
            try golden.compare(actual: pixels, shape: golden.shape("image_b/pixel_values"), to: "image_b/pixel_values")
                == nil)
    }

    @Test("files that do not belong together are typed errors that say what to do")
    func badPairs() throws {
        let pair = try FilePair(.init(model: "llava", isEarly: true, hasImageToken: true))
        func error(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error { _ = try ModelFiles(path: pair.text, projector: pair.text) }.contains("clip"))
        #expect(
            error { _ = try ModelFiles(path: Fixtures.model("llava").path, projector: pair.projector) }.contains("GGUF")
        )
        #expect(error { _ = try ModelRegistry.make(from: ModelFiles(path: pair.projector)) }.contains("clip"))
        // Towers for other text models.
        func message(_ text: String) -> String {
            error {
                _ = try ModelRegistry.make(
                    from: ModelFiles(
                        path: Fixtures.models.appending(path: "gguf/\(text).gguf").path, projector: pair.projector))
            }
        }
        #expect(message("llama256-q4_k").contains("mmproj.gguf") && message("llama256-q4_k").contains("mm.0.weight"))
        #expect(message("t5-f32").contains("t5") && message("t5-f32").contains("mmproj"))
    }
}
