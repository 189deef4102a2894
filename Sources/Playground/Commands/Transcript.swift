import Foundation

/// The conversation as a document.
enum Transcript {
    static func markdown(_ messages: [Message]) -> String {
        var text = "# Conversation\n"
        for message in messages {
            switch message.author {
            case .person: text += "\n**You**" + (message.audioPath.map { " · `\($0)`" } ?? "") + "\n\n" + message.text + (message.text.isEmpty ? "" : "\n")
            case .model(let name):
                text += "\n**\(name)**\n\n"
                if message.segments.isEmpty {
                    text += message.plainText + "\n"
                } else {
                    for segment in message.segments { text += "- `\(Figures.time(segment.start)) – \(Figures.time(segment.end))` \(segment.text.trimmingCharacters(in: .whitespaces))\n" }
                }
            case .program: text += "\n> \(message.text)\n"
            }
        }
        return text
    }
}
