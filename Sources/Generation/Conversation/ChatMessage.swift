/// Who says a message of a conversation.
public enum ChatRole: String, Sendable, Hashable, Codable, CaseIterable {
    case system, user, assistant
}

/// One message of a conversation.
public struct ChatMessage: Sendable, Hashable, Codable {
    public var role: ChatRole
    public var text: String
    /// Paths of pictures that go before the text, in order.
    public var pictures: [String]

    public init(_ role: ChatRole, _ text: String, pictures: [String] = []) {
        self.role = role
        self.text = text
        self.pictures = pictures
    }
}
