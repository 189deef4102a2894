import AttentionAnalysis
import AttentionTypes
import Foundation
import Generation
import Support
import Terminal

/// The conversation.
package struct ChatState: Sendable {
    package var messages: [Message] = []
    /// Lines scrolled up from the newest.
    package var scroll = 0
    package var showsProbabilities = false
    /// The number of the answer being written; events of earlier ones are dropped.
    var answer = 0
    /// The captured attention of all tokens, by `TokenRecord.record`.
    var record = AttentionRecord()

    /// The place of the newest message that a model wrote.
    var lastAnswer: Int? { messages.lastIndex { $0.isAnswer } }
}

/// One entry of the conversation. All text in it is sanitized.
package struct Message: Sendable {
    package enum Author: Sendable, Hashable {
        case person
        case model(String)
        case program(Notice.Kind)
    }

    package enum Progress: Sendable, Hashable {
        case streaming, finished, stopped, failed
    }

    package var author: Author
    package var text: String
    package var audioPath: String?
    /// What the recording looks like, once it was read.
    package var waveform: Waveform?
    /// Pictures that go before the text.
    package var attachments: [Attachment] = []
    /// What came through the microphone.
    package var spoken: SpokenMeter?
    package var date: Date
    package var progress: Progress = .finished
    package var tokens: [TokenRecord] = []
    package var windows: [SoundView] = []
    /// The pictures an answer looks at.
    package var pictures: [PictureView] = []
    /// The words an answer reads.
    package var source: SourceView?
    /// The answer that this one stands beside, when it was asked for to be compared.
    var variantOf: Int?
    /// What was taken out of the model for it, in words.
    var change: String?
    /// Tokens at its beginning that were given, not chosen by the model.
    var givenTokens = 0
    /// The kinds of attention that came with its tokens.
    var capturedKinds: Set<AttentionKind> = []
    package var summary: GenerationSummary?
    /// Finished segments, in order.
    package var segments: [TranscriptSegment] = []
    /// The words of finished segments with the times the alignment gave them, in order.
    package var words: [WordRecord] = []

    init(_ author: Author, _ text: String, audioPath: String? = nil, date: Date, progress: Progress = .finished) {
        self.author = author
        self.text = Sanitizer.cells.text(text)
        self.audioPath = audioPath
        self.date = date
        self.progress = progress
    }

    var isAnswer: Bool {
        if case .model = author { return true }
        return false
    }

    /// The words of an answer without its special tokens.
    var plainText: String {
        tokens.isEmpty
            ? text : tokens.filter { !$0.isSpecial }.map(\.text).joined().trimmingCharacters(in: .whitespaces)
    }
}

/// A picture that goes with a message.
package struct Attachment: Sendable, Hashable {
    package var path: String
    /// Pixels of the picture and a few of its colors, once it was looked at.
    package var thumbnail: Thumbnail?
    /// Why it cannot be read.
    package var problem: String?

    var name: String { Sanitizer.cells.line((path as NSString).lastPathComponent) }
}

/// A picture small enough for the chat.
package struct Thumbnail: Sendable, Hashable {
    /// Pixels of the picture.
    package var width: Int
    package var height: Int
    /// The picture at 24 by 16 pixels or less, in its proportions.
    package var raster: Raster
}

/// A generated token as the screen keeps it.
package struct TokenRecord: Sendable {
    package var index: Int
    package var window: Int
    package var id: Int
    package var text: String
    package var piece: String
    package var isSpecial: Bool
    package var timestamp: Double?
    package var probability: Float
    package var alternatives: [TokenAlternative]
    /// Its place in the record of attention; nil when none was captured.
    package var record: Int?

    init(_ token: GeneratedToken, record: Int?) {
        index = token.index
        window = token.window
        id = token.id
        text = Sanitizer.cells.text(token.text)
        piece = Sanitizer.cells.line(token.piece)
        isSpecial = token.isSpecial
        timestamp = token.timestamp
        probability = Foundation.exp(token.logProbability)
        alternatives = token.alternatives
        self.record = record
    }

    /// What to call the token: its text, or its spelling when it has none.
    var label: String {
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return trimmed.isEmpty ? (text.contains("\n") ? "⏎" : piece) : trimmed
    }
}

/// A token of the conversation.
package struct TokenPlace: Sendable, Hashable, Comparable {
    package var message: Int
    package var token: Int

    package static func < (a: Self, b: Self) -> Bool { (a.message, a.token) < (b.message, b.token) }
}

/// A word of an answer and when it was said.
package struct WordRecord: Sendable, Hashable {
    package var text: String
    /// Seconds from the start of the recording.
    package var start: Double
    package var end: Double
    /// The message's tokens that spell it.
    package var tokens: Range<Int>
}

extension Message {
    /// The timed word a token belongs to.
    func word(ofToken token: Int) -> WordRecord? { words.first { $0.tokens.contains(token) } }

    /// Finds the segment's tokens among those of the message and gives its words their places.
    mutating func addWords(of segment: TranscriptSegment) {
        guard let timed = segment.words, !timed.isEmpty, !segment.tokens.isEmpty else { return }
        let from = words.last?.tokens.upperBound ?? 0, count = segment.tokens.count
        guard tokens.count - count >= from,
            let first = (from...tokens.count - count).first(where: { start in
                segment.tokens.indices.allSatisfy { tokens[start + $0].id == segment.tokens[$0] }
            })
        else { return }
        // Words follow the tokens' text; blanks do not count, since words may come without them.
        func letters(_ text: String) -> Int { text.reduce(0) { $1.isWhitespace ? $0 : $0 + 1 } }
        var next = first, spelled = 0, wanted = 0
        for word in timed {
            let text = Sanitizer.cells.line(word.text)
            wanted += letters(text)
            let start = next
            while next < first + count, spelled < wanted {
                if !tokens[next].isSpecial { spelled += letters(tokens[next].text) }
                next += 1
            }
            guard next > start else { continue }
            // The timestamp before a word is not part of it.
            let own = (start..<next).first { !tokens[$0].isSpecial } ?? start
            words.append(
                WordRecord(
                    text: text.trimmingCharacters(in: .whitespaces), start: word.start, end: word.end,
                    tokens: own..<next))
        }
    }
}

/// How loud what was spoken is, over its time.
package struct SpokenMeter: Sendable, Hashable {
    package var seconds = 0.0
    /// 0…1 per chunk of about a tenth of a second.
    package var levels: [Float] = []
    /// Still recording.
    package var isOpen = true
}
