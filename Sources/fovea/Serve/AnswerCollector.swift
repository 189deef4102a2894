import Checkpoint
import Foundation
import Generation
import Server

/// Events of one answer, collected to the pieces of a stream or to a whole body.
final class AnswerCollector: @unchecked Sendable {
    // Safety: used by the model's thread while it answers, and by the request's task before and after that.

    /// A piece of the answer that became final.
    struct Piece {
        var text = ""
        var thought = ""
        var tokens: [GeneratedToken] = []
        var steps: [AnswerAttention.Step] = []

        var isEmpty: Bool { text.isEmpty && thought.isEmpty && tokens.isEmpty && steps.isEmpty }
    }

    private let attention: AttentionRequest?
    /// Speech models take tokens back: theirs are final at the end.
    private let isSpeech: Bool
    private(set) var whole = Piece()
    private(set) var geometry = AnswerAttention.Geometry()
    private(set) var segments: [TranscriptSegment] = []
    private(set) var language: String?
    private(set) var summary: GenerationSummary?
    /// Tensors for a file, by token.
    private var stored: [Int: [KeptTensor]] = [:]
    /// Token events of speech windows before the one in work.
    private var windowStart = 0
    private var window = 0
    private var attentionBytes = 0

    private static let mostAttentionBytes = 256 << 20

    init(attention: AttentionRequest?, isSpeech: Bool) {
        self.attention = attention
        self.isSpeech = isSpeech
    }

    /// Takes an event.
    /// - Returns: what may be sent now.
    /// - Throws: `ServerError` 400 where the attention becomes too large.
    func take(_ event: GenerationEvent) throws -> Piece {
        var piece = Piece()
        switch event {
        case .inputPrepared(.picture(let picture)):
            let grid = PictureGrid(width: picture.width, height: picture.height, keys: picture.keys)
            geometry.pictures = (geometry.pictures ?? []) + [grid]
        case .inputPrepared(.source(let source)):
            geometry.source = source.tokens.map { .init(id: $0.id, text: $0.text) }
        case .inputPrepared(.audio(let sound)):
            language = sound.language ?? language
            var windows = (geometry.windows ?? []).prefix(sound.index)
            windows.append(.init(start: sound.start, duration: sound.duration))
            geometry.windows = Array(windows)
        case .token(let token):
            if token.window != window {
                window = token.window
                windowStart = whole.tokens.count
            }
            try add(token, to: &piece)
        case .discarded(let keeping, _):
            let kept = min(windowStart + keeping, whole.tokens.count)
            whole.tokens.removeSubrange(kept...)
            if attention != nil, whole.steps.count > kept { whole.steps.removeSubrange(kept...) }
        case .segment(let segment):
            segments.append(segment)
            if isSpeech { piece.text = segment.text }
        case .finished(let summary):
            self.summary = summary
            if isSpeech {
                piece.tokens = whole.tokens
                piece.steps = whole.steps
            }
        case .encoded, .contextShortened, .deviceReopened: break
        }
        whole.text += piece.text
        whole.thought += piece.thought
        return piece
    }

    private func add(_ token: GeneratedToken, to piece: inout Piece) throws {
        // Captured rows are large; what was asked of them is in the step.
        let bare = GeneratedToken(
            index: token.index, window: token.window, id: token.id, text: token.text, piece: token.piece,
            isSpecial: token.isSpecial, timestamp: token.timestamp, logProbability: token.logProbability,
            alternatives: token.alternatives)
        let step = try attention.map { try self.step($0, token, index: whole.tokens.count) }
        whole.tokens.append(bare)
        if let step { whole.steps.append(step) }
        guard !isSpeech else { return }
        piece.text += token.text
        piece.thought += token.thought ?? ""
        piece.tokens = [bare]
        if let step { piece.steps = [step] }
    }

    private func step(_ attention: AttentionRequest, _ token: GeneratedToken, index: Int) throws
        -> AnswerAttention.Step
    {
        var layers: [AnswerAttention.Layer] = []
        stored[index] = nil
        for weights in token.attention {
            let tensors = try attention.tensors(of: weights, step: index)
            attentionBytes += tensors.reduce(0) { $0 + $1.bytes.count }
            guard attentionBytes <= Self.mostAttentionBytes else {
                throw ServerError(
                    400,
                    "the attention of this answer is larger than \(Self.mostAttentionBytes) bytes; ask for fewer layers, heads or tokens, or for topk",
                    parameter: "attention", code: "attention_too_large")
            }
            switch attention.format {
            case .topk:
                guard let values = tensors.first else { continue }
                layers.append(
                    .init(
                        name: values.name, shape: values.shape, weights: values.numbers(Float.self),
                        keys: tensors.dropFirst().first?.numbers(Int32.self)))
            case .base64:
                layers += tensors.map {
                    .init(
                        name: $0.name, shape: $0.shape, dtype: $0.format.rawValue,
                        data: Data($0.bytes).base64EncodedString())
                }
            case .file:
                stored[index, default: []] += tensors
            }
        }
        return .init(index: index, layers: layers)
    }

    /// Writes the tensors of a request for a file.
    /// - Returns: its path; nil where none was asked for.
    func writeFile(in folder: String?, name: String) throws -> String? {
        guard attention?.format == .file, let folder else { return nil }
        let path = folder + "/\(name).safetensors"
        let writer = try SafetensorsWriter(path: path, metadata: ["format": "pt", "producer": "fovea serve"])
        for index in whole.tokens.indices {
            for tensor in stored[index] ?? [] {
                try tensor.bytes.withUnsafeBytes {
                    try writer.add(tensor.name, shape: tensor.shape, format: tensor.format, bytes: $0)
                }
            }
        }
        try writer.finish()
        return path
    }
}
