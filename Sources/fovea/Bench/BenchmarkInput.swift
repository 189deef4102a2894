import Foundation
import Generation
import Media
import Models

/// Input that a model reads while it is measured, made here so that figures of different machines compare: any tokens, a
/// picture of stripes, 30 s of a rising tone. The values do not change the work.
struct BenchmarkInput {
    /// Input of the encoder; nil for models that only continue a text.
    let source: ModelInput?
    /// Tokens that stand for the source in the decoder's prompt.
    var promptTokens: [Int] = []
    /// Tiles of a picture that the prompt mentions.
    var pictureTiles: Int?
    /// Computes the log-mel spectrogram once more.
    var logMel: (() -> Void)?
    /// A token with a meaning of its own, which texts leave out.
    private var reserved: Int?
    private let vocabulary: Int

    private static let sourceTokens = 256
    private static let (width, height) = (640, 480)

    /// - Throws: `CheckpointError`, `MediaError` where the files do not say how pictures are prepared.
    init(_ model: any Model, files: ModelFiles) throws {
        vocabulary = model.vocabulary
        if let reader = model.soundReader {
            let spectrogram = try LogMelSpectrogram(reader, from: files)
            source = .logMel(spectrogram.window(Self.sound).values)
            logMel = { _ = spectrogram.window(Self.sound) }
        } else if let reader = model.waveformReader {
            source = .samples(Array(Self.sound.prefix(reader.sampleLimits.upperBound)))
        } else if let reader = model.pictureReader {
            let layout = try reader.imageProcessor(of: files).layout(width: Self.width, height: Self.height)
            let stripes = (0..<layout.valueCount).map { Float($0 % 11) / 11 - 0.5 }
            source = .pictures([ProcessedImage(layout: layout, pixelValues: stripes)])
            if !model.capabilities.needsSource {
                promptTokens = reader.promptTokens(for: layout)
                pictureTiles = layout.tiles.count
                reserved = reader.pictureToken
            }
        } else if let reader = model.textSource {
            let count = min(Self.sourceTokens, reader.sourcePositions)
            source = .tokens(Measuring.tokens(count, vocabulary: reader.sourceVocabulary))
        } else {
            source = nil
        }
    }

    func text(_ count: Int) -> [Int] { Measuring.tokens(count, vocabulary: vocabulary, excluding: reserved) }

    /// 30 s of a rising tone with pauses.
    private static let sound: [Float] = (0..<30 * Media.speechSampleRate).map { index in
        let time = Float(index) / Float(Media.speechSampleRate)
        return time.truncatingRemainder(dividingBy: 1) < 0.7 ? 0.3 * sin(2 * .pi * (200 + 20 * time) * time) : 0
    }
}
