import AttentionTypes
import Checkpoint
import Compute
import NumberFormats
import Transformer

/// A model of any architecture. An architecture declares its decoder and, where it has one, its encoder; loading, planning
/// and decoding follow from these.
package protocol Model: AnyObject, SendableMetatype {
    /// Values of `model_type` (or the file family's own architecture name) that this architecture reads.
    static var modelTypes: [String] { get }

    /// True where the vocabulary has a token for each language, which translation needs.
    static var hasLanguageTokens: Bool { get }

    /// Declares a model from its files, its weights in the formats they are stored in; nothing is allocated. Sizes that a
    /// person may choose are in the files' `options`.
    static func make(from files: ModelFiles) throws -> Self

    /// The weights in the files, under the model's names.
    func weightSource(of files: ModelFiles) throws -> WeightSource

    /// The decoder: tokens to logits. It owns the model's memory on the device.
    var decoder: Decoder { get }

    // MARK: Capabilities

    var capabilities: ModelCapabilities { get }
    /// The model as a reader of texts, where its encoder reads one.
    var textSource: (any TextSource)? { get }
    /// The model as a reader of pictures, where it takes some.
    var pictureReader: (any PictureReader)? { get }
    /// The model as a reader of pictures and prompts together, where its encoder takes both.
    var promptedPictureReader: (any PromptedPictureReader)? { get }
    /// The model as a reader of spectrograms, where it takes some.
    var soundReader: (any SoundReader)? { get }
    /// The model as a reader of waveforms, where it takes some.
    var waveformReader: (any WaveformReader)? { get }
    /// Layers of the encoder or the vision tower; 0 where there is none.
    var encoderLayers: Int { get }
    /// Tokens that decoding behind an encoded source starts with; empty where the prompt is everything, or where the
    /// tokenizer knows them (speech).
    var startTokens: [Int] { get }
    /// Tokens that end decoding behind an encoded source.
    var endTokens: Set<Int> { get }
    /// Tokens that decoding starts with behind a prompt of these ids; nil for a model that takes none.
    func startTokens(prompt: [Int]) -> [Int]?

    /// Encodes a dummy input, for the warm-up.
    /// - Returns: the tokens that stand for it in a prompt.
    func encodeSample(of files: ModelFiles) throws -> [Int]

    /// Encodes an input and emits what the encoder computed; see `trace(_:prompt:options:emit:)`.
    func traceEncoding(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void) throws
}

extension Model {
    /// All weights, in the order they lie in memory.
    package var parameters: ParameterList { decoder.parameters }

    /// Device buffers that the model takes.
    package func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] {
        decoder.plannedBuffers(unifiedMemory: unifiedMemory)
    }

    /// KV-cache bytes of one more token.
    package var bytesPerToken: Int { decoder.bytesPerToken }

    /// Memory for the attention rows that are shown of each token.
    package func watchingBytes(unifiedMemory: Bool) -> Int { decoder.watchingBytes(unifiedMemory: unifiedMemory) }

    /// Gives all weight matrices one format.
    package func assignFormat(_ format: ElementFormat) { parameters.assignFormat(format) }

    /// Puts the model on a device.
    /// - Parameter progress: receives bytes done and bytes in all.
    package func load(
        from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void = { _, _ in }
    ) throws {
        try decoder.load(from: weightSource(of: files), on: device, progress: progress) {
            try encodeSample(of: files)
        }
    }

    /// Takes the model off its device; all its memory is freed.
    package func unload() { decoder.unload() }

    /// Gives every weight the format it is stored in.
    func assignStoredFormats(of files: ModelFiles) throws {
        try weightSource(of: files).assignFormats(to: parameters)
    }

    package func weightSource(of files: ModelFiles) throws -> WeightSource {
        WeightSource(checkpoint: files.checkpoint, naming: HuggingFaceNaming())
    }
}
