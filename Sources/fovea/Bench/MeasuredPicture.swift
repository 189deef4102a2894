import Media
import Models

/// The picture that a model with sight reads while it is measured: stripes of a photograph's size, cut as the model cuts
/// pictures.
struct MeasuredPicture {
    let model: any PictureReader
    private let picture: ProcessedImage

    private static let (width, height) = (640, 480)

    /// - Throws: `ModelError`, `MediaError` where the files do not say how pictures are cut.
    init(model: any PictureReader, files: ModelFiles) throws {
        self.model = model
        let layout = try type(of: model).imageProcessor(of: files).layout(width: Self.width, height: Self.height)
        picture = ProcessedImage(layout: layout, pixelValues: Self.stripes(layout.valueCount))
    }

    /// Tiles that hold something of the picture.
    var tiles: Int { picture.layout.tiles.count }
    /// What stands for the picture in a prompt.
    var tokens: [Int] { model.promptTokens(for: picture.layout) }

    /// Runs tower and projector, and what the model computes once for a picture. The text has to run again.
    func read() throws { try model.readPictures([picture], keeping: 0) }

    /// Any pixels do: the arithmetic is the same.
    static func stripes(_ count: Int) -> [Float] { (0..<count).map { Float($0 % 11) / 11 - 0.5 } }
}
