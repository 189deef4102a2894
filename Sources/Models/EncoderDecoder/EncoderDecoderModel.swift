import Compute
import Formats
import Transformer

/// A model that reads its input once with an encoder and writes tokens with a decoder that attends to it.
public protocol EncoderDecoderModel: Model {
    /// Memory and passes.
    var runner: EncoderDecoderRunner { get }
    /// How to read the model's parameters from its files.
    func weightSource(_ files: ModelFiles) -> WeightSource
    /// Encodes an input of no meaning: what kernels are made ready with.
    func encodeSample() throws
}

extension EncoderDecoderModel {
    /// The tap on this model's attention, while it is loaded.
    public var tap: AttentionTap? { runner.tap }
    /// The stream this model's work goes through, while it is loaded.
    public var stream: CommandStream? { runner.stream }
    /// The decoder's vocabulary.
    public var vocabulary: Int { runner.shape.vocabulary }
    /// The architecture's name for people.
    public var family: String { runner.shape.name }
    public var decoderLayers: Int { runner.shape.decoderLayers }
    public var decoderHeads: Int { runner.shape.decoderHeads }
    /// Positions of the decoder there is memory for.
    public var decoderPositions: Int { runner.shape.positions }
    /// Position of the next token.
    public var position: Int { runner.position }
    /// Hypotheses that decode together.
    public var hypotheses: Int { runner.hypotheses }
    /// Positions left after the tokens so far.
    public var positionsLeft: Int { runner.shape.positions - runner.position }

    /// The encoder's output of the last run, `[positions, size]`; valid until the decoder runs.
    public func readEncoderOutput() throws -> (shape: [Int], values: [Float]) { try runner.readEncoderOutput() }

    /// Starts decoding anew with `tokens`, for `hypotheses` that all begin alike.
    /// - Parameter logitRows: rows whose logits are wanted.
    /// - Returns: logits by row, `[vocabulary]` each.
    public func start(tokens: [Int], hypotheses: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        try runner.start(tokens: tokens, hypotheses: hypotheses, logitRows: logitRows)
    }

    /// Continues: hypothesis i takes up where `parents[i]` was, with `tokens[i]`.
    /// - Returns: logits per hypothesis, and the watched attention rows per hypothesis.
    public func advance(tokens: [Int], parents: [Int]?) throws -> (logits: [[Float]], attention: [[AttentionWeights]]) {
        try runner.advance(tokens: tokens, parents: parents)
    }

    // MARK: Model

    public var bytesPerToken: Int { runner.bytesPerToken }
    public func watchingBytes(unifiedMemory: Bool) -> Int {
        let shape = runner.shape
        return AttentionTap.plannedBytes(
            layers: Array(repeating: (shape.decoderHeads, shape.sourcePositions), count: shape.decoderLayers), unifiedMemory: unifiedMemory)
    }
    public func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] { runner.plannedBuffers(unifiedMemory: unifiedMemory) }
    public var parameters: ParameterList { runner.parameters }

    public func load(from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void) throws {
        try load(from: weightSource(files), on: device, progress: progress)
    }

    /// Puts the model on a device.
    public func load(from source: WeightSource, on device: Device, progress: (Int, Int) -> Void = { _, _ in }) throws {
        try runner.load(from: source, on: device, progress: progress, encodeSample: encodeSample)
    }

    public func unload() { runner.unload() }
}
