/// Author of a message.
package enum ChatRole: String, Sendable, Hashable, Codable, CaseIterable {
    case system, user, assistant
}

/// One message of a conversation.
package struct ChatMessage: Sendable, Hashable, Codable {
    package var role: ChatRole
    package var text: String
    /// Paths of pictures that go before the text, in order.
    package var pictures: [String]

    package init(_ role: ChatRole, _ text: String, pictures: [String] = []) {
        self.role = role
        self.text = text
        self.pictures = pictures
    }
}
