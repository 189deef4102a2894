import Compute
import Transformer

/// What a decoder's layers share while a pass runs through them.
struct CrossDecoderPass {
    let selfCache: KeyValueCache
    let crossCache: KeyValueCache
    /// Positions of the source in `crossCache`.
    let sourceCount: Int
    /// Added to the scores of the source's positions, `[1, sourceCount]`.
    let sourceMask: Tensor?
    let tap: AttentionTap
    /// Hears the residual stream: 0 before the first layer, i after layer i − 1.
    let observe: HiddenStateObserver?
    let stream: CommandStream
}

/// Hears hidden states `[rows, size]` while a pass is being issued.
typealias HiddenStateObserver = (_ index: Int, _ state: Tensor) throws -> Void

/// The decoder of an encoder-decoder model: layers between tokens and logits that attend to a remembered source.
protocol CrossDecoder {
    /// Computes every layer's cross-attention keys and values from the encoder's output.
    func remember(source: Tensor, in cache: KeyValueCache, on stream: CommandStream) throws
    /// Runs `tokens` at positions from `firstPosition`; what precedes the vocabulary is left for `project`.
    func prefill(_ tokens: Tensor, firstPosition: Int, _ pass: CrossDecoderPass) throws
    /// Runs one token for each hypothesis; what precedes the vocabulary is left for `project`.
    func decode(rows: Int, step: StepBuffer, _ pass: CrossDecoderPass) throws
    /// Logits of some rows of the last pass; at most `DecodeStepper.maximumRows` of them.
    func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws
}
