import AttentionTypes
import Generation
import Media
import Support
import Terminal

/// A picture for the attention panel, small enough to draw thirty times a second, and its patches.
package struct PictureView: Sendable {
    /// One key of attention and the part of the picture it covers, in shares (0…1) of width and height.
    package struct Patch: Sendable, Hashable {
        package let key: Int
        package let left: Double
        package let top: Double
        package let right: Double
        package let bottom: Double

        func contains(_ x: Double, _ y: Double) -> Bool { x >= left && x < right && y >= top && y < bottom }
    }

    /// The distribution of one row of attention, as shares of the row.
    struct Shares: Sendable, Hashable {
        /// On patches of the picture, the overview included.
        var picture: Float = 0
        var overview: Float = 0
        /// On the class token and on padding.
        var blank: Float = 0
        /// On other pictures and words.
        var elsewhere: Float = 0
    }

    package let index: Int
    /// Sanitized.
    package let name: String
    /// Pixels of the picture in its file.
    package let width: Int
    package let height: Int
    package let kind: AttentionKind
    /// The patches with the finest detail.
    package let patches: [Patch]
    /// The patches of the overview; empty if the model has none.
    let overview: [Patch]
    /// Keys of the class token and of padding.
    let blanks: [Int]
    package let pixels: RGBImage
    /// True for a picture that is not of the kind that the model was trained on.
    let isUnfamiliar: Bool

    static let longestSide = 512

    package init(_ input: PictureInput) {
        index = input.index
        name = Sanitizer.cells.line(input.name)
        width = max(1, input.width)
        height = max(1, input.height)
        kind = input.kind
        isUnfamiliar = input.isFamiliar == false
        var detail: [Patch] = [], whole: [Patch] = [], blanks: [Int] = []
        let (width, height) = (Double(width), Double(height))
        for key in input.keys where key.key >= 0 {
            guard let part = key.rectangle, part.width > 0, part.height > 0 else {
                blanks.append(key.key)
                continue
            }
            let patch = Patch(
                key: key.key, left: part.x / width, top: part.y / height, right: (part.x + part.width) / width,
                bottom: (part.y + part.height) / height)
            if key.isOverview { whole.append(patch) } else { detail.append(patch) }
        }
        // A picture that was not cut has only the overview: that is its detail.
        patches = detail.isEmpty ? whole : detail
        overview = detail.isEmpty ? [] : whole
        self.blanks = blanks
        pixels = Self.reduced(input.picture, to: Self.longestSide)
    }

    var hasOverview: Bool { !overview.isEmpty }

    /// The distribution of a row of attention.
    func shares(of row: [Float]) -> Shares {
        func sum(_ keys: some Sequence<Int>) -> Float {
            keys.reduce(0) { $0 + (row.indices.contains($1) && row[$1].isFinite ? row[$1] : 0) }
        }
        let whole = sum(overview.map(\.key)), nothing = sum(blanks)
        let seen = sum(patches.map(\.key)) + whole
        let total = row.reduce(0) { $0 + ($1.isFinite ? $1 : 0) }
        return Shares(picture: seen, overview: whole, blank: nothing, elsewhere: max(0, total - seen - nothing))
    }

    /// The weights of the patches, in their order; with `blended` the overview's weight is added, spread over the patches
    /// it covers by their share of its area.
    package func heat(of row: [Float], blended: Bool) -> [Float] {
        var heat = Self.weights(of: patches, in: row)
        guard blended, hasOverview else { return heat }
        for (whole, weight) in zip(overview, Self.weights(of: overview, in: row)) where weight > 0 {
            let area = (whole.right - whole.left) * (whole.bottom - whole.top)
            for (number, patch) in patches.enumerated() {
                let across = min(patch.right, whole.right) - max(patch.left, whole.left)
                let down = min(patch.bottom, whole.bottom) - max(patch.top, whole.top)
                if across > 0, down > 0, area > 0 { heat[number] += weight * Float(across * down / area) }
            }
        }
        return heat
    }

    static func weights(of patches: [Patch], in row: [Float]) -> [Float] {
        patches.map { row.indices.contains($0.key) && row[$0.key].isFinite ? row[$0.key] : 0 }
    }

    /// The patch at a point, in shares of the picture.
    func patch(at x: Double, _ y: Double) -> Int? { patches.firstIndex { $0.contains(x, y) } }

    /// The color at a point of the picture, averaged over a rectangle of it; all in shares.
    func color(left: Double, top: Double, right: Double, bottom: Double) -> Color {
        let firstX = min(pixels.width - 1, max(0, Int(left * Double(pixels.width)))),
            firstY = min(pixels.height - 1, max(0, Int(top * Double(pixels.height))))
        let lastX = min(pixels.width, max(firstX + 1, Int(right * Double(pixels.width)))),
            lastY = min(pixels.height, max(firstY + 1, Int(bottom * Double(pixels.height))))
        // Nine samples at most: enough for a picture a few times finer than the screen.
        let stepX = max(1, (lastX - firstX + 2) / 3), stepY = max(1, (lastY - firstY + 2) / 3)
        var red = 0, green = 0, blue = 0, count = 0
        for y in stride(from: firstY, to: lastY, by: stepY) {
            for x in stride(from: firstX, to: lastX, by: stepX) {
                let pixel = pixels[x: x, y: y]
                red += Int(pixel.red)
                green += Int(pixel.green)
                blue += Int(pixel.blue)
                count += 1
            }
        }
        return Color(red: UInt8(red / count), green: UInt8(green / count), blue: UInt8(blue / count))
    }

    /// The picture scaled down to at most `side` pixels on its longer side.
    private static func reduced(_ picture: RGBImage, to side: Int) -> RGBImage {
        let longest = max(picture.width, picture.height)
        guard longest > side else { return picture }
        return picture.averaged(
            width: max(1, picture.width * side / longest), height: max(1, picture.height * side / longest))
    }
}
