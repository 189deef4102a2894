import Checkpoint
import Compute
import Foundation
import Media
import TestSupport
import Testing

@testable import Models
@testable import Transformer

/// The `llava` fixture as llama.cpp has such a model: one GGUF file with the text model, one with tower and projector.
struct FilePair {
    /// What converters disagree on.
    struct Style: Sendable, CustomTestStringConvertible {
        /// The first converter wrote "down" for the first feed-forward layer and only the layers that are read.
        var isFirst: Bool
        var hasImageToken: Bool
        var testDescription: String { isFirst ? "as the first converter writes them" : "with all layers and their right names" }
    }

    let folder: TemporaryFolder
    var text: String { folder.path("text.gguf") }
    var projector: String { folder.path("mmproj.gguf") }

    init(_ style: Style) throws {
        folder = try TemporaryFolder()
        let source = try Checkpoint.open(Fixtures.model("llava").path)
        let configuration = try ConfigurationObject(contentsOf: Fixtures.model("llava").appending(path: "config.v4.json").path)
        try Self.text(source, configuration.object("text_config"), imageToken: style.hasImageToken ? configuration.int("image_token_index") : nil)
            .write(to: text)
        try Self.projector(source, configuration.object("vision_config"), style).write(to: projector)
    }

    private static func copy(_ name: String, as other: String, from source: Checkpoint, to file: inout GGUFFile) throws {
        file.add(other, shape: try source.entry(name).shape, try source.floats(name))
    }

    private static func text(_ source: Checkpoint, _ c: ConfigurationObject, imageToken: Int?) throws -> GGUFFile {
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
        if let imageToken {
            let vocabulary = try c.int("vocab_size")
            file.set("tokenizer.ggml.tokens", .strings((0..<vocabulary).map { $0 == imageToken ? "<image>" : "t\($0)" }))
        }
        let headDimension = try c.int("hidden_size") / c.int("num_attention_heads")
        try copy("language_model.model.embed_tokens.weight", as: "token_embd.weight", from: source, to: &file)
        try copy("language_model.model.norm.weight", as: "output_norm.weight", from: source, to: &file)
        try copy("language_model.lm_head.weight", as: "output.weight", from: source, to: &file)
        let modules = [
            "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
            "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
        ]
        for layer in 0..<(try c.int("num_hidden_layers")) {
            let prefix = "language_model.model.layers.\(layer)."
            for (name, other) in modules { try copy("\(prefix)\(name).weight", as: "blk.\(layer).\(other).weight", from: source, to: &file) }
            for (name, other) in [("q_proj", "attn_q"), ("k_proj", "attn_k")] {
                // Element i of either half becomes element 2i or 2i + 1: neighbours are turned as a pair there.
                let name = "\(prefix)self_attn.\(name).weight"
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

    private static func projector(_ source: Checkpoint, _ c: ConfigurationObject, _ style: Style) throws -> GGUFFile {
        let layers = try c.int("num_hidden_layers")
        let written = style.isFirst ? layers - 1 : layers
        var file = GGUFFile()
        file.set("general.architecture", .string("clip"))
        file.set("clip.has_text_encoder", .bool(false))
        file.set("clip.has_vision_encoder", .bool(true))
        file.set("clip.has_llava_projector", .bool(true))
        file.set("clip.projector_type", .string("mlp"))
        file.set("clip.use_gelu", .bool(false))
        file.set("clip.vision.image_size", .integer(try c.int("image_size")))
        file.set("clip.vision.patch_size", .integer(try c.int("patch_size")))
        file.set("clip.vision.embedding_length", .integer(try c.int("hidden_size")))
        file.set("clip.vision.feed_forward_length", .integer(try c.int("intermediate_size")))
        file.set("clip.vision.projection_dim", .integer(try c.int("projection_dim")))
        file.set("clip.vision.attention.head_count", .integer(try c.int("num_attention_heads")))
        file.set("clip.vision.attention.layer_norm_epsilon", .float(Float(try c.double("layer_norm_eps"))))
        file.set("clip.vision.block_count", .integer(written))
        file.set("clip.vision.image_mean", .floats([0.48145466, 0.4578275, 0.40821073]))
        file.set("clip.vision.image_std", .floats([0.26862954, 0.26130258, 0.27577711]))
        if !style.isFirst { file.set("clip.vision.feature_layer", .integers([layers - 1])) }
        let prefix = "vision_tower.vision_model."
        for (name, other) in [
            ("\(prefix)embeddings.class_embedding", "v.class_embd"), ("\(prefix)embeddings.patch_embedding.weight", "v.patch_embd.weight"),
            ("\(prefix)embeddings.position_embedding.weight", "v.position_embd.weight"), ("\(prefix)pre_layrnorm.weight", "v.pre_ln.weight"),
            ("\(prefix)pre_layrnorm.bias", "v.pre_ln.bias"), ("multi_modal_projector.linear_1.weight", "mm.0.weight"),
            ("multi_modal_projector.linear_1.bias", "mm.0.bias"), ("multi_modal_projector.linear_2.weight", "mm.2.weight"),
            ("multi_modal_projector.linear_2.bias", "mm.2.bias"),
        ] { try copy(name, as: other, from: source, to: &file) }
        if !style.isFirst {
            for leaf in ["weight", "bias"] { try copy("\(prefix)post_layernorm.\(leaf)", as: "v.post_ln.\(leaf)", from: source, to: &file) }
        }
        let modules = [
            "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.out_proj": "attn_out",
            "layer_norm1": "ln1", "layer_norm2": "ln2", "mlp.fc1": style.isFirst ? "ffn_down" : "ffn_up",
            "mlp.fc2": style.isFirst ? "ffn_up" : "ffn_down",
        ]
        for layer in 0..<written {
            for (name, other) in modules {
                for leaf in ["weight", "bias"] {
                    try copy(
                        "\(prefix)encoder.layers.\(layer).\(name).\(leaf)", as: "v.blk.\(layer).\(other).\(leaf)", from: source, to: &file)
                }
            }
        }
        return file
    }
}

@Suite("LLaVA from a pair of GGUF files", .usesDevice, .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"), .serialized)
struct LLaVAFilePairTests {
    @Test("gives what the fixture's own files give", arguments: [
        FilePair.Style(isFirst: true, hasImageToken: true), FilePair.Style(isFirst: false, hasImageToken: false),
    ])
    func pair(_ style: FilePair.Style) throws {
        let device = try TestDevice.open()
        let golden = try Fixtures.golden("llava")
        let pair = try FilePair(style)
        let files = try ModelFiles(path: pair.text, projector: pair.projector)
        let model = try #require(try ModelRegistry.make(from: files) as? LLaVA)
        let planned = model.plannedBuffers(unifiedMemory: device.properties.hasUnifiedMemory)
        let before = device.ledger.total
        try model.load(from: files, on: device) { _, _ in }
        #expect(device.ledger.total - before == planned.reduce(0) { $0 + $1.bytes })
        // A vocabulary without the token has it one beyond its end.
        let (published, token) = (533, model.pictures.token)
        #expect(token == (style.hasImageToken ? published : model.vocabulary))
        for (name, picture) in [("square", "image_a"), ("wide", "image_b")] {
            let prompt = try golden.integers("\(name)/input_ids").map { $0 == published ? token : $0 }
            let greedy = try golden.integers("\(name)/greedy")
            var text = TraceComparison(golden: golden, prefix: "\(name)/")
            var vision = TraceComparison(golden: golden, prefix: "\(picture)/")
            var options = TraceOptions()
            options.maximumTokens = greedy.count
            try model.trace(
                pictures: [PictureFixture.picture(picture, golden, model, files)], prompt: prompt, options: options,
                includingHiddenStates: true
            ) { tensor in
                if tensor.name.hasPrefix("vision.") || tensor.name == "image_features" {
                    try vision.check(tensor)
                } else {
                    try text.check(tensor, as: tensor.name == "generated_ids" ? "greedy" : nil)
                }
            }
            #expect(text.missing(["step", "hidden", "greedy"]) == [])
            // The first converter leaves out the layer that nobody reads.
            let last = style.isFirst ? ["\(picture)/vision.attn.2", "\(picture)/vision.hidden.3"] : []
            #expect(vision.missing(["vision.", "image_features"]) == last)
        }
        model.unload()
        #expect(device.ledger.total == before)
    }

    @Test("the processor is the one the file describes")
    func processor() throws {
        let pair = try FilePair(.init(isFirst: true, hasImageToken: true))
        let files = try ModelFiles(path: pair.text, projector: pair.projector)
        let golden = try Fixtures.golden("llava")
        let image = try ImageFile.load(path: Fixtures.models.appending(path: "inputs/image_b.png").path)
        let pixels = try LLaVA.imageProcessor(of: files).process(image).pixelValues
        #expect(try golden.compare(actual: pixels, shape: [3, 70, 70], to: "image_b/pixel_values") == nil)
    }

    @Test("files that do not belong together are typed errors that say what to do")
    func badPairs() throws {
        let pair = try FilePair(.init(isFirst: true, hasImageToken: true))
        func error(_ body: () throws -> Void) -> String {
            do {
                try body()
                return "no error"
            } catch { return "\(error)" }
        }
        #expect(error { _ = try ModelFiles(path: pair.text, projector: pair.text) }.contains("clip"))
        #expect(error { _ = try ModelFiles(path: Fixtures.model("llava").path, projector: pair.projector) }.contains("GGUF"))
        #expect(error { _ = try ModelRegistry.make(from: ModelFiles(path: pair.projector)) }.contains("clip"))
        // A tower for another text model.
        let other = Fixtures.models.appending(path: "gguf/llama256-q4_k.gguf").path
        let message = error { _ = try ModelRegistry.make(from: ModelFiles(path: other, projector: pair.projector)) }
        #expect(message.contains("mmproj.gguf") && message.contains("mm.0.weight"), "\(message)")
    }
}
