import Foundation
import Generation
import PlaygroundCore
import Support

/// The conversation as Markdown.
enum MarkdownTranscript {
    static func text(of messages: [Message]) -> String {
        var text = "# Conversation\n"
        for message in messages {
            switch message.author {
            case .person:
                let sound =
                    message.audioPath.map { "`\($0)`" }
                    ?? message.spoken.map { "microphone, \(Figures.fixed($0.seconds, 1)) s" }
                text +=
                    "\n**You**" + (sound.map { " · \($0)" } ?? "") + "\n\n" + message.text
                    + (message.text.isEmpty ? "" : "\n")
            case .model(let name):
                text += "\n**\(name)**\n\n"
                if !message.thoughts.isEmpty {
                    let lines = message.thoughts.split(separator: "\n", omittingEmptySubsequences: false)
                    text += "Thoughts:\n\n" + lines.map { "> \($0)\n" }.joined() + "\n"
                }
                if message.segments.isEmpty {
                    text += message.plainText + "\n"
                } else {
                    for segment in message.segments { text += lines(of: segment) }
                }
            case .program: text += "\n> \(message.text)\n"
            }
        }
        return text
    }

    private static func lines(of segment: TranscriptSegment) -> String {
        let text =
            "- `\(Figures.time(segment.start)) – \(Figures.time(segment.end))` \(Sanitizer.cells.line(segment.text).trimmingCharacters(in: .whitespaces))\n"
        guard let words = segment.words, !words.isEmpty else { return text }
        func timed(_ word: TimedWord) -> String {
            "\(Sanitizer.cells.line(word.text).trimmingCharacters(in: .whitespaces)) `\(Figures.fixed(word.start, 2))–\(Figures.fixed(word.end, 2))`"
        }
        return text + "  - \(words.map(timed).joined(separator: " · "))\n"
    }
}
