import Foundation
import Media
import Terminal

/// Reads pictures for the chat.
enum Pictures {
    static let extensions: Set<String> = ["jpg", "jpeg", "png", "webp"]
    static let thumbnailSize = Size(24, 16)

    static func isPicture(_ path: String) -> Bool { extensions.contains((path as NSString).pathExtension.lowercased()) }

    /// The picture small, and its size. Reads the disk.
    /// - Throws: `MediaError`, which says what is wrong with the file.
    static func thumbnail(path: String) throws(MediaError) -> Thumbnail {
        let picture = try ImageFile.load(path: Completion.expanded(path))
        let scale = min(
            1,
            min(
                Double(thumbnailSize.width) / Double(picture.width),
                Double(thumbnailSize.height) / Double(picture.height)))
        let width = max(1, Int((Double(picture.width) * scale).rounded())),
            height = max(1, Int((Double(picture.height) * scale).rounded()))
        var raster = Raster(width: width, height: height)
        for y in 0..<height {
            let top = y * picture.height / height, bottom = max(top + 1, (y + 1) * picture.height / height)
            for x in 0..<width {
                let left = x * picture.width / width, right = max(left + 1, (x + 1) * picture.width / width)
                var red = 0, green = 0, blue = 0, count = 0
                // A hundred samples are enough for one pixel of a thumbnail.
                for row in stride(from: top, to: bottom, by: max(1, (bottom - top) / 10)) {
                    for column in stride(from: left, to: right, by: max(1, (right - left) / 10)) {
                        let pixel = picture[x: column, y: row]
                        red += Int(pixel.red)
                        green += Int(pixel.green)
                        blue += Int(pixel.blue)
                        count += 1
                    }
                }
                raster[x, y] = Color(red: UInt8(red / count), green: UInt8(green / count), blue: UInt8(blue / count))
            }
        }
        return Thumbnail(width: picture.width, height: picture.height, raster: raster)
    }
}

extension State {
    /// Puts a picture beside what is typed next.
    mutating func attach(_ path: String) -> [Effect] {
        guard attachments.count < 16 else {
            say(.warning, "16 pictures at most go with one message")
            return []
        }
        attachments.append(Attachment(path: path))
        focus = .input
        return [.look(path)]
    }

    /// The picture beside what is typed is the one that came with the model.
    var isSampleAttached: Bool {
        engine.sample?.picture.map { path in attachments.contains { $0.path == path } } ?? false
    }

    mutating func looked(_ path: String, _ thumbnail: Thumbnail?, _ problem: String?) -> [Effect] {
        for index in attachments.indices where attachments[index].path == path {
            attachments[index].thumbnail = thumbnail
            attachments[index].problem = problem
        }
        for message in chat.messages.indices {
            for index in chat.messages[message].attachments.indices
            where chat.messages[message].attachments[index].path == path {
                chat.messages[message].attachments[index].thumbnail = thumbnail
                chat.messages[message].attachments[index].problem = problem
            }
        }
        if let problem {
            attachments.removeAll { $0.path == path }
            say(.error, problem)
        }
        return []
    }
}

/// Whether a path is one of a picture, by its name.
package func isPicture(_ path: String) -> Bool { Pictures.isPicture(path) }
