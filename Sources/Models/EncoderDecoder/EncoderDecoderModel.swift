import Compute
import AttentionTypes
import NumberFormats
import Transformer

/// A model that reads its input once with an encoder and writes tokens with a decoder that attends to it.
package protocol EncoderDecoderModel: Model {
    /// Memory and passes.
    var runner: EncoderDecoderRunner { get }
    /// How to read the model's parameters from its files.
    func weightSource(_ files: ModelFiles) -> WeightSource
    /// Encodes an input of no meaning: what kernels are made ready with.
    func encodeSample() throws
}

extension EncoderDecoderModel {
    /// The tap on this model's attention, while it is loaded.
    package var tap: AttentionTap? { runner.tap }
    /// The stream this model's work goes through, while it is loaded.
    package var stream: CommandStream? { runner.stream }
    /// The decoder's vocabulary.
    package var vocabulary: Int { runner.shape.vocabulary }
    /// The architecture's name for people.
    package var family: String { runner.shape.name }
    package var decoderLayers: Int { runner.shape.decoderLayers }
    package var decoderHeads: Int { runner.shape.decoderHeads }
    /// Positions of the decoder there is memory for.
    package var decoderPositions: Int { runner.shape.positions }
    /// Position of the next token.
    package var position: Int { runner.position }
    /// Hypotheses that decode together.
    package var hypotheses: Int { runner.hypotheses }
    /// Positions left after the tokens so far.
    package var positionsLeft: Int { runner.shape.positions - runner.position }

    /// The encoder's output of the last run, `[positions, size]`; valid until the decoder runs.
    package func readEncoderOutput() throws -> (shape: [Int], values: [Float]) { try runner.readEncoderOutput() }

    /// Starts decoding anew with `tokens`, for `hypotheses` that all begin alike.
    /// - Parameter logitRows: rows whose logits are wanted.
    /// - Returns: logits by row, `[vocabulary]` each.
    package func start(tokens: [Int], hypotheses: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        try runner.start(tokens: tokens, hypotheses: hypotheses, logitRows: logitRows)
    }

    /// Continues: hypothesis i takes up where `parents[i]` was, with `tokens[i]`.
    /// - Returns: logits per hypothesis, and the watched attention rows per hypothesis.
    package func advance(tokens: [Int], parents: [Int]?) throws -> (logits: [[Float]], attention: [[AttentionWeights]])
    {
        try runner.advance(tokens: tokens, parents: parents)
    }

    // MARK: Model

    package var bytesPerToken: Int { runner.bytesPerToken }
    package func watchingBytes(unifiedMemory: Bool) -> Int {
        let shape = runner.shape
        return AttentionTap.plannedBytes(
            layers: Array(repeating: (shape.decoderHeads, shape.sourcePositions), count: shape.decoderLayers),
            unifiedMemory: unifiedMemory)
    }
    package func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] {
        runner.plannedBuffers(unifiedMemory: unifiedMemory)
    }
    package var parameters: ParameterList { runner.parameters }

    package func load(from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void) throws {
        try load(from: weightSource(files), on: device, progress: progress)
    }

    /// Puts the model on a device.
    package func load(from source: WeightSource, on device: Device, progress: (Int, Int) -> Void = { _, _ in }) throws {
        try runner.load(from: source, on: device, progress: progress, encodeSample: encodeSample)
    }

    package func unload() { runner.unload() }
}
