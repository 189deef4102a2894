import Foundation

/// A message of a saved conversation.
package struct StoredMessage: Sendable, Hashable, Codable {
    package var position: Int
    package var author: String
    package var text: String
    package var audioPath: String?
    package var pictures: [String]
    package var date: Date
    /// `streaming`, `finished`, `stopped` or `failed`.
    package var progress: String

    package init(
        position: Int, author: String, text: String, audioPath: String? = nil, pictures: [String] = [], date: Date,
        progress: String
    ) {
        self.position = position
        self.author = author
        self.text = text
        self.audioPath = audioPath
        self.pictures = pictures
        self.date = date
        self.progress = progress
    }
}

/// A saved conversation in a list.
package struct ConversationSummary: Sendable, Hashable, Codable {
    package let id: Int64
    package let started: Date
    /// The title given by the user, else the first message.
    package let title: String
    package let messages: Int

    package init(id: Int64, started: Date, title: String, messages: Int) {
        self.id = id
        self.started = started
        self.title = title
        self.messages = messages
    }
}
