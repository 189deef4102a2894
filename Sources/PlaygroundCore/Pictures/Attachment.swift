import Foundation
import Media
import Support
import Terminal

/// A picture attached to a message.
package struct Attachment: Sendable, Hashable {
    package var path: String
    /// The thumbnail, once it is loaded.
    package var thumbnail: Thumbnail?
    /// The reason it cannot be read.
    package var problem: String?

    var name: String { Sanitizer.cells.line((path as NSString).lastPathComponent) }
}

/// A picture small enough for the chat.
package struct Thumbnail: Sendable, Hashable, Codable {
    /// Pixels of the picture.
    package var width: Int
    package var height: Int
    /// The picture at 24 by 16 pixels or less, in its proportions.
    package var raster: Raster

    static let size = Size(24, 16)

    package init(width: Int, height: Int, raster: Raster) {
        self.width = width
        self.height = height
        self.raster = raster
    }

    package init(_ picture: RGBImage) {
        let scale = min(
            1, Double(Self.size.width) / Double(picture.width), Double(Self.size.height) / Double(picture.height))
        func scaled(_ side: Int) -> Int { max(1, Int((Double(side) * scale).rounded())) }
        self.init(
            width: picture.width, height: picture.height,
            raster: Raster(picture.averaged(width: scaled(picture.width), height: scaled(picture.height))))
    }
}
