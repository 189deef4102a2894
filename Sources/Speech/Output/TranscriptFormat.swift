import Foundation
import Generation

/// File formats of transcripts.
package enum TranscriptFormat: String, Sendable, Hashable, Codable, CaseIterable {
    /// A line for each segment.
    case txt
    /// SubRip subtitles.
    case srt
    /// WebVTT subtitles.
    case vtt
    /// Everything that is known, with the keys of the published Whisper's JSON.
    case json

    /// The transcript as this format's text, closed by a newline.
    ///
    /// Text comes from a model and is not trusted: control characters become spaces, and what a format would take for
    /// markup is escaped.
    ///
    /// - Parameter words: with word times where segments have them: WebVTT marks when each word begins, SubRip shows a cue
    ///   for each word with that word underlined. JSON has words whenever the segments do.
    package func write(_ transcript: Transcript, words: Bool = false) throws -> String {
        switch self {
        case .txt: transcript.segments.map { TranscriptFormat.plain($0.text).trimmingWhitespace() + "\n" }.joined()
        case .srt: TranscriptFormat.subRip(transcript, words: words)
        case .vtt: TranscriptFormat.webVTT(transcript, words: words)
        case .json: try TranscriptFormat.json(transcript)
        }
    }

    /// `[hours:]minutes:seconds` with milliseconds, rounded; times before 0 count as 0.
    package static func time(_ seconds: Double, alwaysHours: Bool, decimalMark: Character) -> String {
        let total = seconds.isFinite ? Int((min(max(seconds, 0), 1e9) * 1000).rounded(.toNearestOrEven)) : 0
        func padded(_ value: Int, _ width: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(width - digits.count, 0)) + digits
        }
        let hours = total / 3_600_000
        let prefix = alwaysHours || hours > 0 ? padded(hours, 2) + ":" : ""
        return
            "\(prefix)\(padded(total / 60_000 % 60, 2)):\(padded(total / 1000 % 60, 2))\(decimalMark)\(padded(total % 1000, 3))"
    }

    // MARK: - subtitles

    private static func subRip(_ transcript: Transcript, words: Bool) -> String {
        var cues: [(start: Double, end: Double, text: String)] = []
        for segment in transcript.segments {
            let texts = segment.words.map { $0.map { arrowless(plain($0.text)) } } ?? []
            guard words, let times = segment.words, !times.isEmpty else {
                cues.append((segment.start, segment.end, arrowless(plain(segment.text)).trimmingWhitespace()))
                continue
            }
            var last = times[0].start
            for (index, word) in times.enumerated() {
                // Between two words nothing is underlined.
                if word.start > last { cues.append((last, word.start, texts.joined().trimmingWhitespace())) }
                var marked = texts
                let bare = marked[index].trimmingWhitespace()
                if !bare.isEmpty {
                    marked[index] = marked[index].replacingOccurrences(of: bare, with: "<u>\(bare)</u>")
                }
                cues.append((word.start, word.end, marked.joined().trimmingWhitespace()))
                last = word.end
            }
        }
        return cues.enumerated().map { number, cue in
            let start = time(cue.start, alwaysHours: true, decimalMark: ","),
                end = time(cue.end, alwaysHours: true, decimalMark: ",")
            return "\(number + 1)\n\(start) --> \(end)\n\(cue.text)\n\n"
        }.joined()
    }

    private static func webVTT(_ transcript: Transcript, words: Bool) -> String {
        func stamp(_ seconds: Double) -> String { time(seconds, alwaysHours: false, decimalMark: ".") }
        var text = "WEBVTT\n\n"
        for segment in transcript.segments {
            var line = markupless(plain(segment.text)).trimmingWhitespace()
            if words, let times = segment.words, !times.isEmpty {
                line = times.enumerated().map { index, word in
                    let bare = markupless(plain(word.text))
                    // A mark must lie within the cue and after the one before; the first word begins with the cue.
                    return index > 0 && word.start > max(segment.start, times[index - 1].start)
                        && word.start < segment.end
                        ? "<\(stamp(word.start))>\(bare)" : bare
                }.joined().trimmingWhitespace()
            }
            text += "\(stamp(segment.start)) --> \(stamp(segment.end))\n\(line)\n\n"
        }
        return text
    }

    /// Control characters and line separators become spaces; one cue is one line.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029
                        ? " " : scalar
                }))
    }

    /// An arrow in a text would end the cue.
    private static func arrowless(_ text: String) -> String { text.replacingOccurrences(of: "-->", with: "->") }

    private static func markupless(_ text: String) -> String {
        arrowless(text).replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;")
    }

    // MARK: - JSON

    private struct Document: Encodable {
        struct Segment: Encodable {
            let id: Int
            let start, end: Double
            let text: String
            let tokens: [Int]
            let temperature, avg_logprob, compression_ratio, no_speech_prob: Double
            let words: [Word]?
        }

        struct Word: Encodable {
            let word: String
            let start, end, probability: Double
        }

        let text: String
        let language: String?
        let language_probability: Double?
        let duration: Double
        let segments: [Segment]
    }

    private static func json(_ transcript: Transcript) throws -> String {
        let document = Document(
            text: transcript.text, language: transcript.language,
            language_probability: transcript.languageProbability.map { rounded(Double($0), 6) },
            duration: rounded(transcript.duration, 3),
            segments: transcript.segments.map { segment in
                Document.Segment(
                    id: segment.index, start: rounded(segment.start, 3), end: rounded(segment.end, 3),
                    text: segment.text, tokens: segment.tokens,
                    temperature: rounded(Double(segment.temperature), 3),
                    avg_logprob: rounded(Double(segment.averageLogProbability), 6),
                    compression_ratio: rounded(Double(segment.compressionRatio), 6),
                    no_speech_prob: rounded(Double(segment.noSpeechProbability), 6),
                    words: segment.words.map {
                        $0.map {
                            Document.Word(
                                word: $0.text, start: rounded($0.start, 3), end: rounded($0.end, 3),
                                probability: rounded(Double($0.probability), 6))
                        }
                    })
            })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
    }

    /// JSON knows no infinity.
    private static func rounded(_ value: Double, _ digits: Int) -> Double {
        guard value.isFinite else { return value > 0 ? 1e30 : value < 0 ? -1e30 : 0 }
        let scale = pow(10, Double(digits))
        return (value * scale).rounded() / scale
    }
}
