import Media

/// Places of a picture's parts among the keys of an attention row.
struct PictureGrid: Codable {
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
        self.init(width: layout.imageWidth, height: layout.imageHeight, keys: keys)
    }

    init(width: Int, height: Int, keys: [PatchKey]) {
        self.width = width
        self.height = height
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
