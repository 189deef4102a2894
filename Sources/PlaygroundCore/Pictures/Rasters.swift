import Media
import Terminal

extension RGBImage {
    /// The picture scaled down to `width` × `height` pixels by area averaging.
    func averaged(width: Int, height: Int) -> RGBImage {
        var averaged = [UInt8](repeating: 0, count: width * height * 3)
        pixels.withUnsafeBufferPointer { source in
            for y in 0..<height {
                let top = y * self.height / height, bottom = max(top + 1, (y + 1) * self.height / height)
                for x in 0..<width {
                    let left = x * self.width / width, right = max(left + 1, (x + 1) * self.width / width)
                    var sums = (0, 0, 0)
                    for row in top..<bottom {
                        for column in left..<right {
                            let place = (row * self.width + column) * 3
                            sums.0 += Int(source[place])
                            sums.1 += Int(source[place + 1])
                            sums.2 += Int(source[place + 2])
                        }
                    }
                    let count = (bottom - top) * (right - left), place = (y * width + x) * 3
                    averaged[place] = UInt8(sums.0 / count)
                    averaged[place + 1] = UInt8(sums.1 / count)
                    averaged[place + 2] = UInt8(sums.2 / count)
                }
            }
        }
        return RGBImage(width: width, height: height, pixels: averaged)
    }
}

extension Raster: Codable {
    package init(from decoder: any Decoder) throws { self.init(try RGBImage(from: decoder)) }

    package func encode(to encoder: any Encoder) throws {
        let bytes = pixels.flatMap { [$0.red, $0.green, $0.blue] }
        try RGBImage(width: width, height: height, pixels: bytes).encode(to: encoder)
    }

    init(_ picture: RGBImage) {
        self.init(width: picture.width, height: picture.height)
        for y in 0..<height {
            for x in 0..<width {
                let pixel = picture[x: x, y: y]
                self[x, y] = Color(red: pixel.red, green: pixel.green, blue: pixel.blue)
            }
        }
    }
}
