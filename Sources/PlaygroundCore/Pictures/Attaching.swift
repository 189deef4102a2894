import Foundation

extension State {
    /// Attaches a picture to the next message.
    mutating func attach(_ path: String) -> [Effect] {
        guard attachments.count < 16 else {
            say(.warning, "16 pictures at most go with one message")
            return []
        }
        attachments.append(Attachment(path: path))
        focus = .input
        return [.loadThumbnail(path)]
    }

    /// True if the model's sample picture is attached.
    var isSampleAttached: Bool {
        engine.sample?.picture.map { path in attachments.contains { $0.path == path } } ?? false
    }

    mutating func didLoadThumbnail(_ path: String, _ thumbnail: Thumbnail?, _ problem: String?) -> [Effect] {
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

/// Picture files by their names.
package enum PictureFile {
    static let extensions: Set<String> = ["gif", "jpg", "jpeg", "png", "webp"]

    package static func isNamed(_ path: String) -> Bool {
        extensions.contains((path as NSString).pathExtension.lowercased())
    }
}
