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
    package var decoder: any DecoderEngine { runner }
    package var decoderLayers: Int { runner.shape.decoderLayers }
    package var decoderHeads: Int { runner.shape.decoderHeads }
    /// Positions of the decoder there is memory for.
    package var decoderPositions: Int { runner.shape.positions }

    /// The encoder's output of the last run, `[positions, size]`; valid until the decoder runs.
    package func readEncoderOutput() throws -> (shape: [Int], values: [Float]) { try runner.readEncoderOutput() }

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
