import AttentionTypes
import Foundation
import Generation
import Support

/// One message of the conversation. Its text is sanitized.
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
    /// Waveform of the recording, once it is loaded.
    package var waveform: Waveform?
    /// Pictures before the text.
    package var attachments: [Attachment] = []
    /// Level meter of a microphone recording.
    package var spoken: SpokenMeter?
    package var date: Date
    package var progress: Progress = .finished
    package var tokens: [TokenRecord] = []
    package var windows: [SoundView] = []
    /// The pictures an answer attends to.
    package var pictures: [PictureView] = []
    /// The source text of an answer.
    package var source: SourceView?
    /// The answer this one is compared with.
    var variantOf: Int?
    /// The ablation or given prefix, in words.
    var change: String?
    /// Number of leading tokens that were given, not generated.
    var givenTokens = 0
    /// The kinds of attention captured with its tokens.
    package var capturedKinds: Set<AttentionKind> = []
    package var summary: GenerationSummary?
    /// Finished segments, in order.
    package var segments: [TranscriptSegment] = []
    /// The words of finished segments with their times, in order.
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

    /// The thoughts before an answer; empty where there are none.
    package var thoughts: String {
        tokens.map(\.thought).joined().trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// The text of an answer without special tokens and thoughts.
    package var plainText: String {
        tokens.isEmpty
            ? text : tokens.filter { !$0.isSpecial }.map(\.text).joined().trimmingCharacters(in: .whitespaces)
    }
}
