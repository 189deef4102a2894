import AttentionTypes
import Foundation
import Generation
import TestSupport

/// A small encoder-decoder's decoder in plain loops, reading a fixture's weights and its recorded encoder output: a real
/// `SequenceDecoder` for testing searches without the engine.
///
/// Knows T5 (RMS norm, position buckets), Marian (norm after each block, sinusoids) and Whisper (norm before, learned
/// positions).
package final class ReferenceDecoder: SequenceDecoder {
    package enum Family { case t5, marian, whisper }

    private struct Attention {
        let query, key, value, out: Linear
    }

    private struct Layer {
        let own, cross: Attention
        let ownNorm, crossNorm, feedNorm: Norm
        let up, down: Linear
        /// `[heads][positions · head width]` of the encoder's output.
        var memoryKeys: [Float] = [], memoryValues: [Float] = []
    }

    /// Cache of a hypothesis: `[layer]` of keys and values, `[positions, width]`.
    private struct Cache {
        var keys: [[Float]], values: [[Float]]
        var length = 0
    }

    package let vocabularySize: Int
    package let maximumHypotheses = 8
    private let family: Family
    private let heads: Int, width: Int
    private let embedding: Matrix
    private let positions: Matrix?
    private let finalNorm: Norm?
    private let finalBias: [Float]
    private let distanceBias: Matrix?
    private var layers: [Layer] = []
    private var caches: [Cache] = []
    package private(set) var starts = 0, steps = 0

    package init(_ folder: String, family: Family, heads: Int) throws {
        self.family = family
        self.heads = heads
        let weights = try ReferenceTensors("\(folder)/model.safetensors")
        let names = Set(weights.names)
        func matrix(_ name: String) -> Matrix { Matrix(weights[name]) }
        func linear(_ name: String) -> Linear {
            Linear(
                matrix("\(name).weight"), bias: names.contains("\(name).bias") ? weights["\(name).bias"].values : nil)
        }
        func norm(_ name: String) -> Norm {
            Norm(
                weight: weights["\(name).weight"].values,
                bias: names.contains("\(name).bias") ? weights["\(name).bias"].values : nil)
        }
        switch family {
        case .t5: embedding = matrix("shared.weight")
        case .marian: embedding = matrix("model.shared.weight")
        case .whisper: embedding = matrix("model.decoder.embed_tokens.weight")
        }
        width = embedding.columns
        vocabularySize = embedding.rows
        positions = family == .whisper ? matrix("model.decoder.embed_positions.weight") : nil
        finalNorm =
            family == .t5
            ? norm("decoder.final_layer_norm") : family == .whisper ? norm("model.decoder.layer_norm") : nil
        finalBias = family == .marian ? weights["final_logits_bias"].values : []
        distanceBias =
            family == .t5 ? matrix("decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight") : nil
        for index in 0..<2 {
            if family == .t5 {
                let base = "decoder.block.\(index).layer"
                func attention(_ name: String) -> Attention {
                    Attention(
                        query: linear("\(name).q"), key: linear("\(name).k"), value: linear("\(name).v"),
                        out: linear("\(name).o"))
                }
                layers.append(
                    Layer(
                        own: attention("\(base).0.SelfAttention"), cross: attention("\(base).1.EncDecAttention"),
                        ownNorm: norm("\(base).0.layer_norm"), crossNorm: norm("\(base).1.layer_norm"),
                        feedNorm: norm("\(base).2.layer_norm"),
                        up: linear("\(base).2.DenseReluDense.wi"), down: linear("\(base).2.DenseReluDense.wo")))
            } else {
                let base = "model.decoder.layers.\(index)"
                func attention(_ name: String) -> Attention {
                    Attention(
                        query: linear("\(name).q_proj"), key: linear("\(name).k_proj"), value: linear("\(name).v_proj"),
                        out: linear("\(name).out_proj"))
                }
                layers.append(
                    Layer(
                        own: attention("\(base).self_attn"), cross: attention("\(base).encoder_attn"),
                        ownNorm: norm("\(base).self_attn_layer_norm"),
                        crossNorm: norm("\(base).encoder_attn_layer_norm"),
                        feedNorm: norm("\(base).final_layer_norm"), up: linear("\(base).fc1"),
                        down: linear("\(base).fc2")))
            }
        }
        let golden = try ReferenceTensors("\(folder)/golden.safetensors")
        cacheKeysAndValues(of: Matrix(golden["main/enc.out"]))
    }

    /// Computes the cross keys and values of an encoder's output.
    private func cacheKeysAndValues(of encoded: Matrix) {
        for index in layers.indices {
            layers[index].memoryKeys = encoded.rowsMapped(layers[index].cross.key)
            layers[index].memoryValues = encoded.rowsMapped(layers[index].cross.value)
        }
    }

    // MARK: SequenceDecoder

    package func start(prompt: [Int], hypotheses: Int, logitRows: [Int]) throws -> DecoderOutput {
        starts += 1
        var cache = Cache(
            keys: [[Float]](repeating: [], count: layers.count), values: [[Float]](repeating: [], count: layers.count))
        var logits: [Float] = [], wanted: [Int: [Float]] = [:]
        var rows: [[AttentionWeights]] = []
        for (place, token) in prompt.enumerated() {
            let (hidden, attention) = forward(token, &cache)
            rows.append(attention)
            if place == prompt.count - 1 || logitRows.contains(place) {
                logits = project(hidden)
                if logitRows.contains(place) { wanted[place] = logits }
            }
        }
        caches = [Cache](repeating: cache, count: hypotheses)
        let attention = layers.indices.map { layer in
            AttentionWeights.stacking(rows.map { $0[layer] })
        }
        return DecoderOutput(
            logits: [[Float]](repeating: logits, count: hypotheses), promptLogits: wanted,
            attention: [[AttentionWeights]](repeating: attention, count: hypotheses))
    }

    package func advance(tokens: [Int], parents: [Int]) throws -> DecoderOutput {
        precondition(
            tokens.count == parents.count && tokens.count <= maximumHypotheses,
            "more hypotheses than the decoder has room for")
        steps += 1
        var output = DecoderOutput(logits: [])
        var next: [Cache] = []
        for (token, parent) in zip(tokens, parents) {
            var cache = caches[parent]
            let (hidden, attention) = forward(token, &cache)
            output.logits.append(project(hidden))
            output.attention.append(attention)
            next.append(cache)
        }
        caches = next
        return output
    }

    // MARK: the layers

    private func forward(_ token: Int, _ cache: inout Cache) -> (hidden: [Float], attention: [AttentionWeights]) {
        let position = cache.length
        cache.length += 1
        var x = embedding.row(token)
        switch family {
        case .t5: break
        case .marian:
            let scale = Float(width).squareRoot(), half = width / 2
            for index in 0..<width {
                let angle = Double(position) / pow(10000, 2 * Double(index % half) / Double(width))
                x[index] = x[index] * scale + Float(index < half ? sin(angle) : cos(angle))
            }
        case .whisper: x = sum(x, positions!.row(position))
        }
        var captured: [AttentionWeights] = []
        for (index, layer) in layers.enumerated() {
            let isAfter = family == .marian
            func block(_ norm: Norm, _ body: ([Float]) -> [Float]) {
                x = isAfter ? norm(sum(x, body(x)), rms: false) : sum(x, body(norm(x, rms: family == .t5)))
            }
            block(layer.ownNorm) { input in
                cache.keys[index] += layer.own.key(input)
                cache.values[index] += layer.own.value(input)
                let bias: (Int, Int) -> Float = { [distanceBias] head, key in
                    distanceBias.map { $0.row(ReferenceDecoder.bucket(position - key))[head] } ?? 0
                }
                return layer.own.out(attend(layer.own.query(input), cache.keys[index], cache.values[index], bias).mixed)
            }
            block(layer.crossNorm) { input in
                let (mixed, weights) = attend(layer.cross.query(input), layer.memoryKeys, layer.memoryValues) { _, _ in
                    0
                }
                captured.append(
                    AttentionWeights(
                        kind: .cross, layer: index, heads: heads, queries: 1, keys: weights.count / heads,
                        values: weights))
                return layer.cross.out(mixed)
            }
            block(layer.feedNorm) { input in
                layer.down(
                    layer.up(input).map { value in
                        switch family {
                        case .t5: max(value, 0)
                        case .marian: value / (1 + expf(-value))
                        case .whisper: 0.5 * value * (1 + erff(value / Float(2).squareRoot()))
                        }
                    })
            }
        }
        if let finalNorm { x = finalNorm(x, rms: family == .t5) }
        return (x, captured)
    }

    private func attend(_ query: [Float], _ keys: [Float], _ values: [Float], _ bias: (Int, Int) -> Float) -> (
        mixed: [Float], weights: [Float]
    ) {
        let size = query.count / heads, stride = query.count, count = keys.count / stride
        let scale = family == .t5 ? 1 : 1 / Float(size).squareRoot()
        var mixed = [Float](repeating: 0, count: query.count), all: [Float] = []
        for head in 0..<heads {
            var scores = [Float](repeating: 0, count: count)
            keys.withUnsafeBufferPointer { keys in
                query.withUnsafeBufferPointer { query in
                    for key in 0..<count {
                        var dot: Float = 0
                        for channel in head * size..<(head + 1) * size {
                            dot += query[channel] * keys[key * stride + channel]
                        }
                        scores[key] = dot * scale
                    }
                }
            }
            for key in 0..<count { scores[key] += bias(head, key) }
            scores = LogProbabilities.softmax(scores)
            values.withUnsafeBufferPointer { values in
                mixed.withUnsafeMutableBufferPointer { mixed in
                    for key in 0..<count {
                        for channel in head * size..<(head + 1) * size {
                            mixed[channel] += scores[key] * values[key * stride + channel]
                        }
                    }
                }
            }
            all += scores
        }
        return (mixed, all)
    }

    private func project(_ hidden: [Float]) -> [Float] {
        let scaled = family == .t5 ? hidden.map { $0 / Float(width).squareRoot() } : hidden
        var logits = embedding.times(scaled)
        for index in finalBias.indices { logits[index] += finalBias[index] }
        return logits
    }

    /// T5's causal distance buckets: 32, up to 128.
    private static func bucket(_ distance: Int) -> Int {
        guard distance >= 16 else { return max(distance, 0) }
        return min(16 + Int(logf(Float(distance) / 16) / logf(128 / 16) * 16), 31)
    }

    private func sum(_ a: [Float], _ b: [Float]) -> [Float] { zip(a, b).map { $0 + $1 } }
}

// MARK: - plain linear algebra

struct Matrix {
    let rows: Int, columns: Int
    let values: [Float]

    init(_ tensor: ReferenceTensors.Tensor) {
        rows = tensor.shape[0]
        columns = tensor.shape[1]
        values = tensor.values
    }

    func row(_ index: Int) -> [Float] { Array(values[index * columns..<(index + 1) * columns]) }

    /// `values · x`, `[rows]`.
    func times(_ x: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: rows)
        values.withUnsafeBufferPointer { values in
            x.withUnsafeBufferPointer { x in
                result.withUnsafeMutableBufferPointer { result in
                    for row in 0..<rows {
                        var sum: Float = 0
                        for column in 0..<columns { sum += values[row * columns + column] * x[column] }
                        result[row] = sum
                    }
                }
            }
        }
        return result
    }

    func rowsMapped(_ linear: Linear) -> [Float] { (0..<rows).flatMap { linear(row($0)) } }
}

struct Linear {
    let weight: Matrix
    let bias: [Float]?

    init(_ weight: Matrix, bias: [Float]?) {
        self.weight = weight
        self.bias = bias
    }

    func callAsFunction(_ x: [Float]) -> [Float] {
        let result = weight.times(x)
        guard let bias else { return result }
        return zip(result, bias).map { $0 + $1 }
    }
}

struct Norm {
    let weight: [Float]
    let bias: [Float]?

    func callAsFunction(_ x: [Float], rms: Bool) -> [Float] {
        let mean = rms ? 0 : x.reduce(0, +) / Float(x.count)
        let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Float(x.count)
        let scale = 1 / (variance + (rms ? 1e-6 : 1e-5)).squareRoot()
        return x.indices.map { (x[$0] - mean) * scale * weight[$0] + (bias?[$0] ?? 0) }
    }
}

extension AttentionWeights {
    /// Single rows of one layer, one below the other.
    package static func stacking(_ rows: [AttentionWeights]) -> AttentionWeights {
        let first = rows[0]
        var values: [Float] = []
        for head in 0..<first.heads { for row in rows { values += row.row(head: head, query: 0) } }
        return AttentionWeights(
            kind: first.kind, layer: first.layer, heads: first.heads, queries: rows.count, keys: first.keys,
            values: values)
    }
}
