/// Width and height of a picture in pixels.
package struct PictureSize: Sendable, Hashable, Codable {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Parses `640x480`; sides are 1 to 100,000 pixels.
    package init?(_ text: String) {
        let sides = text.lowercased().replacing("×", with: "x").split(separator: "x", omittingEmptySubsequences: false)
            .map { Int($0) }
        guard sides.count == 2, let width = sides[0], let height = sides[1], (1...100_000).contains(width),
            (1...100_000).contains(height)
        else { return nil }
        self.init(width: width, height: height)
    }
}
