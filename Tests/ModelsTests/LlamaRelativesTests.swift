import Checkpoint
import Compute
import ComputeReference
import Foundation
import JSON
import TestSupport
import Testing

@testable import Models
@testable import Transformer

/// Llama's relatives of which there is no fixture in a format: their files are made from fixtures of other formats.
@Suite("Relatives of Llama in formats without a fixture", .usesDevice, .needsLargeFixtures, .serialized)
struct LlamaRelativesTests {
    private func trace(_ path: String, against golden: String) throws {
        let golden = try Fixtures.golden(golden)
        let files = try ModelFiles(path: path)
        let model = try ModelRegistry.make(from: files)
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        let greedy = try golden.integers("main/greedy")
        var comparison = TraceComparison(golden: golden, prefix: "main/")
        var options = TraceOptions()
        options.maximumTokens = greedy.count
        try model.trace(prompt: golden.integers("main/input_ids"), options: options) { tensor in
            try comparison.check(tensor, as: tensor.name == "generated_ids" ? "greedy" : nil)
        }
        #expect(comparison.missing(["step", "hidden", "greedy"]) == [])
    }

    /// The metadata that all text models have.
    private func metadata(_ architecture: String, _ c: JSONReader, headDimension: Int) throws -> GGUFFile {
        var file = GGUFFile()
        file.set("general.architecture", .string(architecture))
        for (key, name) in [
            ("embedding_length", "hidden_size"), ("block_count", "num_hidden_layers"),
            ("attention.head_count", "num_attention_heads"), ("attention.head_count_kv", "num_key_value_heads"),
            ("feed_forward_length", "intermediate_size"), ("context_length", "max_position_embeddings"),
            ("attention.sliding_window", "sliding_window"),
        ] {
            file.set("\(architecture).\(key)", .integer(try c.int(name)))
        }
        file.set("\(architecture).attention.key_length", .integer(headDimension))
        file.set("\(architecture).attention.value_length", .integer(headDimension))
        file.set("\(architecture).attention.layer_norm_rms_epsilon", .float(Float(try c.double("rms_norm_eps"))))
        file.set("\(architecture).rope.freq_base", .float(Float(try c.double("rope_theta"))))
        return file
    }

    /// - Parameter change: of the values of a tensor, by its name in the fixture.
    private func write(
        _ file: GGUFFile, _ model: String, modules: [String: String], to path: String,
        change: (String, [Float]) -> [Float] = { $1 }
    ) throws {
        var file = file
        let source = try Checkpoint.open(Fixtures.model(model).path)
        let tops = ["model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"]
        for name in source.names {
            let module = name.replacingOccurrences(of: ".weight", with: "")
            let parts = module.split(separator: ".", maxSplits: 3).map(String.init)
            let other = try tops[module] ?? "blk.\(parts[2]).\(#require(modules[parts[3]]))"
            file.add("\(other).weight", shape: try source.entry(name).shape, change(name, try source.floats(name)))
        }
        try file.write(to: path)
    }

    @Test("Gemma 2 as a GGUF file gives the golden of its folder")
    func gemma2() throws {
        let c = try JSONReader(contentsOf: Fixtures.model("gemma2").appending(path: "config.v4.json").path)
        let folder = try TemporaryFolder()
        var file = try metadata("gemma2", c, headDimension: c.int("head_dim"))
        file.set("gemma2.attn_logit_softcapping", .float(Float(try c.double("attn_logit_softcapping"))))
        file.set("gemma2.final_logit_softcapping", .float(Float(try c.double("final_logit_softcapping"))))
        // The files cannot say that scores are divided by √20 where heads have 12 elements.
        let scale = try Float(c.double("head_dim") / c.double("query_pre_attn_scalar")).squareRoot()
        try write(
            file, "gemma2",
            modules: [
                "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
                "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
                "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
                "post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
                "post_feedforward_layernorm": "post_ffw_norm",
            ], to: folder.path("gemma2.gguf")
        ) { name, values in
            if name.contains("norm") { return values.map { $0 + 1 } }
            return name.contains("q_proj") ? values.map { $0 * scale } : values
        }
        try trace(folder.path("gemma2.gguf"), against: "gemma2")
    }

    @Test("Phi-3 as a GGUF file gives the golden of its folder, with factors of 1 for the frequencies too")
    func phi3() throws {
        let c = try JSONReader(contentsOf: Fixtures.model("phi3").appending(path: "config.v4.json").path)
        let folder = try TemporaryFolder()
        let headDimension = try c.int("hidden_size") / c.int("num_attention_heads")
        for hasFactors in [false, true] {
            var file = try metadata("phi3", c, headDimension: headDimension)
            file.set("phi3.rope.dimension_count", .integer(headDimension))
            if hasFactors {
                file.set("phi3.rope.scaling.original_context_length", .integer(256))
                let half = headDimension / 2
                file.add("rope_factors_short.weight", shape: [half], Array(repeating: 1, count: half))
                file.add("rope_factors_long.weight", shape: [half], Array(repeating: 9, count: half))
            }
            try write(
                file, "phi3",
                modules: [
                    "self_attn.qkv_proj": "attn_qkv", "self_attn.o_proj": "attn_output", "mlp.gate_up_proj": "ffn_up",
                    "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm",
                    "post_attention_layernorm": "ffn_norm",
                ], to: folder.path("phi3.gguf"))
            try trace(folder.path("phi3.gguf"), against: "phi3")
        }
    }

    @Test("longrope: short factors within the first context, long ones and the amplitude beyond it")
    func longRope() throws {
        let text = """
            {"model_type": "phi3", "hidden_size": 32, "num_attention_heads": 4, "max_position_embeddings": 131072,
             "original_max_position_embeddings": 4096, "num_hidden_layers": 1,
             "rope_scaling": {"type": "longrope", "short_factor": [1, 2, 1, 1], "long_factor": [4, 5, 6, 7]}}
            """
        var c = try Phi3.configuration(JSONReader(JSONParser.parse(Array(text.utf8)), file: "config.json"))
        let amplitude = Float((1 + log(32.0) / log(4096.0)).squareRoot())
        let long = try #require(c.longRotary)
        #expect(abs(long.amplitude - amplitude) < 1e-6)
        #expect(c.contextLength == 4096 && c.rotary.everywhere.frequencies == [1, 0.05, 0.01, 0.001])
        c.makeRoom(for: 8192)
        #expect(c.rotary.everywhere.frequencies.map { ($0 * 1e6).rounded() } == [250_000, 20_000, 1_667, 143])
        #expect(throws: ModelError.self) {
            try Phi3.configuration(
                JSONReader(
                    JSONParser.parse(Array(text.replacingOccurrences(of: "[1, 2, 1, 1]", with: "[1, 2]").utf8)),
                    file: "config.json"))
        }
    }

    @Test("Granite is Llama with its multipliers put into the weights")
    func granite() throws {
        let source = try Checkpoint.open(Fixtures.model("llama").path)
        let text = try String(
            contentsOf: Fixtures.model("llama").appending(path: "config.v4.json"), encoding: .utf8)
        let c = try JSONReader(JSONParser.parse(Array(text.utf8)), file: "config.json")
        let headDimension = try c.int("hidden_size") / c.int("num_attention_heads")
        let (embedding, attention, residual, logits): (Float, Float, Float, Float) = (3, 0.2, 0.4, 5)
        func folder(_ text: String, _ change: (String, Float) -> Float) throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            try text.write(toFile: folder.path("config.json"), atomically: true, encoding: .utf8)
            let writer = try SafetensorsWriter(path: folder.path("model.safetensors"))
            for name in source.names {
                try writer.add(
                    name, shape: source.entry(name).shape, floats: source.floats(name).map { change(name, $0) })
            }
            try writer.finish()
            return folder
        }
        let multipliers = """
            "model_type": "granite", "embedding_multiplier": \(embedding), "attention_multiplier": \(attention),
            "residual_multiplier": \(residual), "logits_scaling": \(logits)
            """
        let granite = try folder(
            text.replacingOccurrences(of: "\"model_type\": \"llama\"", with: multipliers)
                .replacingOccurrences(of: "\"model_type\":\"llama\"", with: multipliers)
        ) { $1 }
        let llama = try folder(text) { name, value in
            if name.contains("embed_tokens") { return value * embedding }
            if name.contains("lm_head") { return value / logits }
            if name.contains("q_proj") { return value * attention * Float(headDimension).squareRoot() }
            return name.contains("o_proj") || name.contains("down_proj") ? value * residual : value
        }
        let prompt = [1, 20, 30, 40, 7, 9, 100]
        func run(_ folder: TemporaryFolder) throws -> (name: String, logits: [[Float]]) {
            let files = try ModelFiles(path: folder.url.path)
            let model = try ModelRegistry.make(from: files)
            try model.load(from: files, on: TestDevice.open()) { _, _ in }
            let first = try model.prefill(prompt, at: 0, logitRows: [6])
            return (model.family, try [#require(first[6])] + model.advance(tokens: [5]).logits)
        }
        let (got, expected) = (try run(granite), try run(llama))
        #expect(got.name == "Granite" && expected.name == "Llama")
        for (a, b) in zip(got.logits, expected.logits) {
            let largest = b.map(abs).max() ?? 0
            #expect(largest > 0 && zip(a, b).allSatisfy { abs($0 - $1) < 1e-4 * largest })
        }
    }

    @Test("windows: from layer types, patterns and null; what cannot be is an error that names file and key")
    func windows() throws {
        func read(_ family: any LlamaFamily.Type, _ text: String) throws -> Llama.Configuration {
            try family.configuration(JSONReader(JSONParser.parse(Array(text.utf8)), file: "here/config.json"))
        }
        #expect(try read(Mistral.self, "{}").attentionShape(layer: 3).window == nil)
        #expect(try read(Mistral.self, "{}").window == 4096)
        #expect(try read(Mistral.self, #"{"sliding_window": null}"#).window == nil)
        #expect(try read(Qwen2.self, #"{"sliding_window": 9, "use_sliding_window": false}"#).window == nil)
        let upper = try read(
            Qwen2.self, #"{"sliding_window": 9, "use_sliding_window": true, "max_window_layers": 30}"#)
        #expect(upper.windowedLayers == [30, 31] && upper.attentionShape(layer: 31).window == 9)
        #expect(try read(Gemma2.self, #"{"num_hidden_layers": 4}"#).windowedLayers == [0, 2])
        let gemma3 = try read(Gemma3.self, #"{"num_hidden_layers": 7, "sliding_window": 512}"#)
        #expect(gemma3.windowedLayers == [0, 1, 2, 3, 4, 6] && gemma3.windowTheta == 10_000)
        #expect(gemma3.rotary.everywhere !== gemma3.rotary.windowed)
        for (text, key) in [
            (#"{"sliding_window": 0}"#, "sliding_window"),
            (#"{"sliding_window": 5, "layer_types": ["full_attention"]}"#, "layer_types"),
            (#"{"query_pre_attn_scalar": -1}"#, "query_pre_attn_scalar"),
            (#"{"attn_logit_softcapping": 0}"#, "attn_logit_softcapping"),
        ] {
            do {
                _ = try read(Gemma2.self, text)
                Issue.record("no error for \(text)")
            } catch { #expect("\(error)".contains("here/config.json") && "\(error)".contains(key), "\(error)") }
        }
    }
}
