import Compute
import NumberFormats
import Transformer

/// An encoder-decoder model whose input is text: translation, summaries, instructions.
package protocol TextEncoderDecoder: EncoderDecoderModel, TextSource {
    /// Where the host puts the source's tokens.
    var sourceInput: SourceInput { get }
    /// Issues the encoder; see `EncoderPass`.
    /// - Returns: its output, `[tokens, size]`.
    func runEncoder(_ tokens: Tensor, _ pass: EncoderPass) throws -> Tensor
}

/// What a text encoder's layers share while a pass runs through them.
package struct EncoderPass {
    /// Added to the scores of the source's positions, `[1, tokens]`.
    let mask: Tensor?
    let tap: AttentionTap
    let observe: HiddenStateObserver?
    let stream: CommandStream
}

extension TextEncoderDecoder {
    package var textSource: (any TextSource)? { self }
    package var capabilities: ModelCapabilities { .init(inputs: [.sourceText], watchedAttention: .cross) }

    package func trace(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        guard case .tokens(let source, let mask) = input else { throw ModelError.nothingEncoded(model: family) }
        try trace(source: source, mask: mask, start: prompt, options: options, emit: emit)
    }

    /// Tokens of a source there is memory for.
    package var sourcePositions: Int { sourceInput.capacity }

    /// Encodes a text and computes every layer's cross-attention keys and values from it.
    /// - Parameter mask: which tokens count; padding does not. All count by default.
    /// - Throws: `TransformerError` for a source that is empty, too long or outside the vocabulary.
    package func encode(tokens ids: [Int], mask: [Bool]? = nil) throws {
        _ = try runner.loaded()
        guard !ids.isEmpty, mask.map({ $0.count == ids.count }) ?? true else {
            throw TransformerError.inputShape(
                what: "the source and its mask", expected: [max(ids.count, 1)], actual: [mask?.count ?? 0])
        }
        guard ids.count <= sourcePositions else {
            throw TransformerError.contextOverflow(
                model: "\(runner.shape.name)'s encoder", positions: ids.count, limit: sourcePositions)
        }
        for id in ids where id < 0 || id >= sourceVocabulary {
            throw TransformerError.tokenOutOfRange(id: id, vocabulary: sourceVocabulary)
        }
        // A mask that excludes nothing is none.
        let excluding = mask.flatMap { $0.contains(false) ? $0 : nil }
        let maskRow = sourceInput.write(tokens: ids, mask: excluding)
        try runner.encode(mask: maskRow) { engine, observe in
            try runEncoder(
                sourceInput.tokens(count: ids.count),
                EncoderPass(mask: maskRow, tap: engine.tap, observe: observe, stream: engine.stream))
        }
    }

    package func encodeSample() throws {
        try encode(tokens: Array(repeating: 0, count: min(TokenDecoder.Shape.rehearsedTokens, sourcePositions)))
    }

    /// A greedy run on a text; see `trace(start:options:encode:emit:)`. `input_ids` comes first.
    /// - Parameter start: what decoding starts with; the model's own start tokens by default.
    package func trace(
        source: [Int], mask: [Bool]? = nil, start: [Int]? = nil, options: TraceOptions,
        emit: (TraceTensor) throws -> Void
    ) throws {
        try emit(TraceTensor("input_ids", integers: source))
        try trace(
            start: start ?? startTokens, options: options, encode: { try encode(tokens: source, mask: mask) },
            emit: emit)
    }
}

/// The source's tokens and mask on their way to the device.
package final class SourceInput: DeviceResource {
    package let capacity: Int
    private let input: InputBuffer

    init(capacity: Int) {
        self.capacity = capacity
        input = InputBuffer(label: "source tokens and mask", byteCount: 8 * capacity)
    }

    package var plannedBuffers: [PlannedBuffer] { input.plannedBuffers }
    package func allocate(on device: Device) throws { try input.allocate(on: device) }
    package func release() { input.release() }

    /// - Returns: the mask as a row to add to scores, `[1, tokens]`.
    func write(tokens: [Int], mask: [Bool]?) -> Tensor? {
        input.buffer.write(tokens.map { UInt32($0) })
        guard let mask else { return nil }
        input.buffer.write(mask.map { $0 ? Float(0) : AttentionBias.excluded }, at: 4 * capacity)
        return Tensor(buffer: input.buffer, byteOffset: 4 * capacity, rows: 1, columns: mask.count)
    }

    func tokens(count: Int) -> Tensor { Tensor(buffer: input.buffer, rows: 1, columns: count, format: .i32) }
}
