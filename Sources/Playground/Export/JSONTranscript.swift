import Foundation
import Generation
import PlaygroundCore

/// The conversation as JSON: messages in order, answers with their tokens and probabilities.
enum JSONTranscript {
    private struct Document: Encodable {
        var version = 1
        var messages: [Entry]
    }

    private struct Entry: Encodable {
        var author: String
        var text: String
        var thoughts: String?
        var date: Date
        var audio: String?
        var pictures: [String]?
        var progress: String
        var tokens: [Token]?
        var segments: [TranscriptSegment]?
    }

    private struct Token: Encodable {
        var id: Int
        var text: String
        var thought: String?
        var piece: String
        var probability: Float
        var alternatives: [Alternative]?
    }

    private struct Alternative: Encodable {
        var id: Int
        var piece: String
        var probability: Float
    }

    static func text(of messages: [Message]) -> String {
        let entries = messages.map { message in
            let author: String =
                switch message.author {
                case .person: "person"
                case .model(let name): name
                case .program: "fovea"
                }
            return Entry(
                author: author, text: message.plainText,
                thoughts: message.thoughts.isEmpty ? nil : message.thoughts, date: message.date,
                audio: message.audioPath,
                pictures: message.attachments.isEmpty ? nil : message.attachments.map(\.path),
                progress: "\(message.progress)",
                tokens: message.tokens.isEmpty ? nil : message.tokens.map(token),
                segments: message.segments.isEmpty ? nil : message.segments)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return (try? encoder.encode(Document(messages: entries))).flatMap { String(data: $0, encoding: .utf8) }.map {
            $0 + "\n"
        } ?? ""
    }

    private static func token(_ token: TokenRecord) -> Token {
        Token(
            id: token.id, text: token.text, thought: token.thought.isEmpty ? nil : token.thought, piece: token.piece,
            probability: token.probability,
            alternatives: token.alternatives.isEmpty
                ? nil
                : token.alternatives.map {
                    Alternative(id: $0.id, piece: $0.piece, probability: exp($0.logProbability))
                })
    }
}
