import AttentionTypes
import Foundation
import JSON
import Models
import NumberFormats
import Server
import Transformer

/// The extension `attention` of a request: attention rows that come with the answer's tokens.
struct AttentionRequest: Sendable {
    enum Format: String, CaseIterable, Sendable {
        /// The greatest weights of each row and their keys, as lists of numbers.
        case topk
        /// The rows as bytes in base64.
        case base64
        /// A safetensors file in a folder of the server.
        case file
    }

    var kept: KeptAttention
    var format: Format

    /// Reads `attention`, or vLLM's `attn_capture` and `attn_capture_layers`; nil for a request without.
    /// - Throws: `ServerError` 400, `JSONError`.
    init?(_ body: JSONReader, for model: ServedModel) throws {
        var kept = KeptAttention()
        kept.kinds = [model.abilities.shownAttention]
        format = .topk
        if let options = try body.objectIfPresent("attention") {
            if let kinds = try options.memberIfPresent("kinds") { kept.kinds = try Self.kinds(kinds) }
            kept.layers = try Self.numbers(options.memberIfPresent("layers"))
            kept.heads = try Self.numbers(options.memberIfPresent("heads"))
            format =
                try Self.choice(options, "format", Format.init(rawValue:), Format.allCases.map(\.rawValue)) ?? .topk
            let k = try options.intIfPresent("k") ?? 16
            guard k > 0 else { throw ServerError(400, "k should be at least 1", parameter: "attention.k") }
            let reduction = try Self.choice(
                options, "reduce", AttentionReduction.init(rawValue:), ["none", "mean-heads", "topk:K", "pointing"])
            kept.reduction = reduction ?? .none
            kept.element =
                try Self.choice(
                    options, "dtype", KeptElement.init(rawValue:), KeptElement.allCases.map(\.rawValue))
                ?? (format == .topk ? .f32 : .f16)
            if format == .topk {
                guard kept.element == .f32 else {
                    throw ServerError(
                        400, "format topk writes numbers; dtype is for base64 and file", parameter: "attention.dtype")
                }
                if kept.reduction == .none { kept.reduction = .topK(k) }
                topKOfMean = kept.reduction == .meanHeads ? k : nil
            }
        } else if try Self.isAsked(body.memberIfPresent("attn_capture")) {
            // Its answers hold whole rows.
            format = .base64
            kept.element = .f32
            if let layers = try body.stringIfPresent("attn_capture_layers"), layers != "all" {
                kept.layers = try layers.split(separator: ",").map {
                    guard let layer = Int($0.trimmingCharacters(in: .whitespaces)) else {
                        throw ServerError(
                            400, "should be numbers separated by commas, or all", parameter: "attn_capture_layers")
                    }
                    return layer
                }
            }
        } else {
            return nil
        }
        self.kept = kept
        try check(model)
    }

    /// Weights kept of each mean over heads; nil where rows stay whole.
    private(set) var topKOfMean: Int?

    private static func isAsked(_ member: JSONReader?) throws -> Bool {
        guard let member else { return false }
        if let flag = member.value.boolValue { return flag }
        return try member.int() != 0
    }

    private static func kinds(_ member: JSONReader) throws -> [AttentionKind] {
        let names = try member.value.stringValue.map { [$0] } ?? member.strings()
        return try names.map { name in
            guard let kind = AttentionKind(rawValue: name), kind == .selfAttention || kind == .cross else {
                throw ServerError(
                    400, "kinds should be self or cross; an encoder's attention is written by fovea trace",
                    parameter: "attention.kinds")
            }
            return kind
        }
    }

    /// A list of numbers; nil for all of them.
    private static func numbers(_ member: JSONReader?) throws -> [Int]? {
        guard let member, member.value.stringValue != "all" else { return nil }
        return try member.ints()
    }

    private static func choice<T>(
        _ options: JSONReader, _ key: String, _ make: (String) -> T?, _ all: [String]
    ) throws -> T? {
        guard let text = try options.stringIfPresent(key) else { return nil }
        guard let value = make(text) else {
            throw ServerError(
                400, "\(key) should be one of \(all.joined(separator: ", "))", parameter: "attention.\(key)")
        }
        return value
    }

    private func check(_ model: ServedModel) throws {
        guard !kept.kinds.isEmpty, Set(kept.kinds).count == kept.kinds.count else {
            throw ServerError(400, "kinds should be named once each", parameter: "attention.kinds")
        }
        for kind in kept.kinds where model.decoderLayers[kind]?.isEmpty ?? true {
            throw ServerError(400, "this model has no \(kind.rawValue)-attention", parameter: "attention.kinds")
        }
        let known = Set(kept.kinds.flatMap { model.decoderLayers[$0] ?? [] })
        if let layers = kept.layers {
            guard !layers.isEmpty, Set(layers).count == layers.count, layers.allSatisfy(known.contains) else {
                throw ServerError(
                    400, "layers should be some of \(known.sorted().map(String.init).joined(separator: ", "))",
                    parameter: "attention.layers")
            }
        }
        if let heads = kept.heads {
            guard !heads.isEmpty, Set(heads).count == heads.count,
                heads.allSatisfy((0..<model.decoderHeads).contains)
            else {
                throw ServerError(
                    400, "heads should be some of 0 to \(model.decoderHeads - 1)", parameter: "attention.heads")
            }
        }
    }

    var capture: AttentionTap.Selection { kept.capture }

    /// Kept tensors of one layer at one step, named as `fovea trace` names them.
    func tensors(of weights: AttentionWeights, step: Int) throws -> [KeptTensor] {
        let name = "step\(step).\(weights.kind.rawValue).\(weights.layer)"
        let whole = TraceTensor(
            name, shape: [weights.heads, weights.queries, weights.keys], floats: weights.values)
        guard let topKOfMean else { return try kept.tensors(of: whole) }
        var top = kept
        top.heads = nil
        top.reduction = .topK(topKOfMean)
        return try kept.tensors(of: whole).flatMap { mean in
            try top.tensors(of: TraceTensor(name, shape: [1] + mean.shape, floats: mean.numbers(Float.self)))
        }
    }
}

extension KeptTensor {
    /// The elements of a tensor whose format has this type.
    func numbers<T: BitwiseCopyable>(_ type: T.Type) -> [T] {
        bytes.withUnsafeBytes { buffer in
            (0..<buffer.count / MemoryLayout<T>.size).map {
                buffer.loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.size, as: type)
            }
        }
    }
}
