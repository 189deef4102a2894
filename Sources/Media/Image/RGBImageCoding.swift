import Foundation

extension RGBImage: Codable {
    private enum CodingKeys: CodingKey { case width, height, rgb }

    /// Largest side of a coded picture.
    private static let limit = 4096

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let width = try container.decode(Int.self, forKey: .width)
        let height = try container.decode(Int.self, forKey: .height)
        let pixels = try container.decode(Data.self, forKey: .rgb)
        guard (1...Self.limit).contains(width), (1...Self.limit).contains(height), pixels.count == width * height * 3
        else {
            throw DecodingError.dataCorruptedError(
                forKey: .rgb, in: container,
                debugDescription: "\(pixels.count) bytes for a picture of \(width) × \(height)")
        }
        self.init(width: width, height: height, pixels: Array(pixels))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(width, forKey: .width)
        try container.encode(height, forKey: .height)
        try container.encode(Data(pixels), forKey: .rgb)
    }
}
