import Foundation
import Generation
import Media
import Models
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
    var pictures: [BatchPicture]?
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

/// Places of a picture's parts among the keys of an attention row.
struct BatchPicture: Codable {
    /// Pixels of the upright picture.
    var width: Int
    var height: Int
    /// Rows of patches, each with its first key, the number of patches, and the box in pixels that they cover together, left
    /// to right in equal parts.
    var rows: [Row]

    struct Row: Codable, Hashable {
        var tile: Int
        /// True where the tile is the whole picture once more, beside tiles in detail.
        var overview: Bool
        var firstKey: Int
        var count: Int
        /// Left, top, right, bottom.
        var box: [Double]
    }

    init(_ layout: ImageLayout, keys: [PatchKey]) {
        width = layout.imageWidth
        height = layout.imageHeight
        rows = []
        for key in keys {
            guard let area = key.rectangle else { continue }
            let box = [area.x, area.y, area.x + area.width, area.y + area.height]
            if let last = rows.last, last.tile == key.tile, last.firstKey + last.count == key.key,
                last.box[1] == box[1],
                last.box[3] == box[3], last.box[2] <= box[0] + 1e-6
            {
                rows[rows.count - 1].count += 1
                rows[rows.count - 1].box[2] = box[2]
            } else {
                rows.append(Row(tile: key.tile, overview: key.isOverview, firstKey: key.key, count: 1, box: box))
            }
        }
    }
}
