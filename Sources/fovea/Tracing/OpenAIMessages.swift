import Generation
import JSON
import Support

/// The `messages` of a body of OpenAI's chat API.
enum OpenAIMessages {
    /// - Parameter file: the path of a picture's or a sound's file, from what the message says of it.
    /// - Returns: the messages, and the sound of the last one that has any.
    static func read(
        _ messages: JSONReader, file: (String) throws -> String
    ) throws -> (messages: [ChatMessage], sound: String?) {
        var sound: String?
        let read = try messages.elements().map { message in
            let role = try message.string("role")
            guard let role = ChatRole(rawValue: role == "developer" ? "system" : role) else {
                throw message.wrongType(
                    expected: "a role: system, user or assistant", actual: Sanitizer.stream.line(role))
            }
            return try Self.message(role, message.member("content"), file, &sound)
        }
        return (read, sound)
    }

    /// The content of a message: a text, or a list of parts of texts, pictures and sounds.
    private static func message(
        _ role: ChatRole, _ content: JSONReader, _ file: (String) throws -> String, _ sound: inout String?
    ) throws -> ChatMessage {
        if let text = content.value.stringValue { return ChatMessage(role, text) }
        var message = ChatMessage(role, "")
        for part in try content.elements() {
            switch try part.string("type") {
            case "text": message.text += try part.string("text")
            case "image_url":
                let member = try part.member("image_url")
                message.pictures.append(try file(member.value.stringValue ?? member.string("url")))
            case "input_audio":
                sound = try file("data:;base64," + part.member("input_audio").string("data"))
            case let type:
                throw part.wrongType(
                    expected: "a part of type text, image_url or input_audio", actual: Sanitizer.stream.line(type))
            }
        }
        return message
    }
}
