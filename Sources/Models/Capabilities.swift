import AttentionTypes
import Compute
import Media
import Transformer

/// Kinds of input that a model takes.
package enum ModelInputKind: String, Sendable, Hashable, CaseIterable {
    /// Tokens that the decoder continues.
    case prompt
    /// Tokens that an encoder reads, and the decoder attends to.
    case sourceText
    case pictures
    case sound
}

/// Capabilities of a model, for everything that serves models of any architecture.
package struct ModelCapabilities: Sendable, Hashable {
    package var inputs: Set<ModelInputKind>
    /// The attention of the decoder that shows what an answer rests on: `.cross` where the decoder attends to an encoded
    /// source, `.selfAttention` where all input is among the tokens.
    package var watchedAttention: AttentionKind

    /// True where the decoder runs only behind an encoded source.
    package var needsSource: Bool { !inputs.contains(.prompt) }
}

/// One input of a model, ready to be encoded.
package enum ModelInput {
    /// Tokens of a source text; `mask` tells padding (false) from tokens.
    case tokens([Int], mask: [Bool]? = nil)
    /// Pictures in the order of the prompt; the first `keeping` are those that the model has already read.
    case pictures([ProcessedImage], keeping: Int = 0)
    /// A picture and the tokens of a prompt that one encoder reads together.
    case prompted(ProcessedImage, tokens: [Int])
    /// A log-mel spectrogram of one window, `[mels, frames]`.
    case logMel([Float])
    /// A waveform of 16,000 samples a second.
    case samples([Float])

    var kind: ModelInputKind {
        switch self {
        case .tokens: .sourceText
        case .pictures, .prompted: .pictures
        case .logMel, .samples: .sound
        }
    }
}

/// A model whose encoder reads sound as a log-mel spectrogram of a fixed window.
package protocol SoundReader: Model {
    var soundGeometry: SoundGeometry { get }
    /// Encodes one window and caches every layer's cross-attention keys and values.
    /// - Parameter logMel: `[mels, frames]`
    func encode(logMel: [Float]) throws
}

/// A model whose encoder reads a waveform as it is.
package protocol WaveformReader: Model {
    /// Samples that a recording may have, at 16,000 a second.
    var sampleLimits: ClosedRange<Int> { get }
    /// Samples from one position of the encoder's output to the next.
    var samplesPerPosition: Int { get }
    /// Encodes a recording and caches every block's cross-attention keys and values.
    /// - Throws: `TransformerError.inputShape` for a recording that is too short or too long.
    func encode(samples: [Float]) throws
}

extension WaveformReader {
    package var waveformReader: (any WaveformReader)? { self }
    package var capabilities: ModelCapabilities { .init(inputs: [.sound], watchedAttention: .cross) }
}

/// Sizes of what a speech model reads.
package struct SoundGeometry: Sendable, Hashable {
    /// Mel filters of the spectrogram.
    package var mels: Int
    /// Frames of one window.
    package var frames: Int
    /// Positions of the encoded window.
    package var positions: Int
    /// Decoder heads that follow the sound in time; empty where the checkpoint names none.
    package var alignmentHeads: [AttentionHead]
}

extension Model {
    /// Architecture name for display.
    package var family: String { decoder.name }
    /// Positions of the decoder that memory is planned for.
    package var contextLength: Int { decoder.contextLength }
    /// Tokens that have logits.
    package var vocabulary: Int { decoder.vocabulary }
    /// Position of the next token.
    package var position: Int { decoder.position }
    package var positionsLeft: Int { contextLength - position }
    /// Attention capture of the loaded model.
    package var tap: AttentionTap? { decoder.tap }
    /// Command stream of the loaded model.
    package var stream: CommandStream? { decoder.stream }

    package static var hasLanguageTokens: Bool { false }
    package var textSource: (any TextSource)? { nil }
    package var pictureReader: (any PictureReader)? { nil }
    package var soundReader: (any SoundReader)? { nil }
    package var waveformReader: (any WaveformReader)? { nil }
    package var promptedPictureReader: (any PromptedPictureReader)? { nil }
    package var capabilities: ModelCapabilities { .init(inputs: [.prompt], watchedAttention: .selfAttention) }
    package var encoderLayers: Int { 0 }
    package var startTokens: [Int] { [] }
    package var endTokens: Set<Int> { [] }
    package func startTokens(prompt: [Int]) -> [Int]? { nil }
    package func encodeSample(of files: ModelFiles) throws -> [Int] { [] }

    /// Encodes an input of any kind that the model takes.
    /// - Throws: `ModelError.unsupportedInput` for a kind it does not take.
    package func encode(_ input: ModelInput) throws {
        switch input {
        case .tokens(let tokens, let mask):
            if let textSource { return try textSource.encode(tokens: tokens, mask: mask) }
        case .pictures(let pictures, let count):
            if let pictureReader { return try pictureReader.readPictures(pictures, keeping: count) }
        case .prompted(let picture, let tokens):
            if let promptedPictureReader { return try promptedPictureReader.encode(picture, tokens: tokens) }
        case .logMel(let values):
            if let soundReader { return try soundReader.encode(logMel: values) }
        case .samples(let values):
            if let waveformReader { return try waveformReader.encode(samples: values) }
        }
        throw ModelError.unsupportedInput(model: family, input: input.kind)
    }

    /// Runs `tokens` from position 0 and lets `hypotheses` continue them.
    /// - Parameter logitRows: tokens whose logits are wanted.
    /// - Returns: logits by row, `[vocabulary]` each.
    package func start(tokens: [Int], hypotheses: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        try decoder.reserve(hypotheses: hypotheses)
        let logits = try decoder.prefill(tokens, at: 0, logitRows: logitRows)
        try decoder.fork(hypotheses: hypotheses)
        return logits
    }

    /// Continues each hypothesis by one token: hypothesis i continues `parents[i]` with `tokens[i]`.
    /// - Returns: logits and watched attention rows per hypothesis.
    package func advance(tokens: [Int], parents: [Int]? = nil) throws -> (
        logits: [[Float]], attention: [[AttentionWeights]]
    ) {
        try decoder.advance(tokens: tokens, parents: parents)
    }

    /// Runs new tokens at positions from `start` on what the cache holds before it.
    package func prefill(_ tokens: [Int], at start: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        try decoder.prefill(tokens, at: start, logitRows: logitRows)
    }
}
