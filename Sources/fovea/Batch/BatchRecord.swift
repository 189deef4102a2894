import Foundation
import Generation
import Tokenization

/// One line of a batch's index: a row, the text the model wrote, and its tensors.
struct BatchRecord: Codable {
    var customId: String
    /// Reason why the row has no tensors; nil where it has.
    var error: String?
    /// Tokens of the encoder's text.
    var sourceTokens: [Int]?
    /// Tokens that the decoder started with, those of pictures included.
    var promptTokens: [Int]?
    /// Tokens that the model wrote, by argmax.
    var tokens: [Int]?
    var text: String?
    /// Offset of each token's text in `text`, in bytes of UTF-8.
    var offsets: [Int]?
    var pictures: [PictureGrid]?
    /// Positions of the encoded sound, all of one window.
    var soundPositions: Int?
    /// Tensors of the row, named `custom_id/name` in the file of the shard.
    var tensors: [Tensor] = []
    var modelSha256: String?
    var version: String?
    var device: String?
    var seconds: Double?

    struct Tensor: Codable, Hashable {
        var name: String
        var format: String
        var shape: [Int]
    }

    init(_ identifier: String, error: String? = nil) {
        customId = identifier
        self.error = error
    }

    /// The result of a row's run, apart from its tensors.
    init(_ identifier: String, _ tracer: Tracer, generated: [Int]) {
        self.init(identifier)
        sourceTokens = tracer.sourceTokens
        promptTokens = tracer.prompt
        tokens = generated
        if let tokenizer = tracer.outputTokenizer {
            let text = tokenizer.decode(generated)
            self.text = text
            offsets = generated.indices.map { min(tokenizer.decode(generated[..<$0]).utf8.count, text.utf8.count) }
        }
        pictures = tracer.pictureGeometry()
        soundPositions = tracer.soundPositions
    }

    /// The record without what differs between two runs of the same batch: time and device.
    var reproducible: BatchRecord {
        var record = self
        record.seconds = nil
        record.device = nil
        return record
    }
}
