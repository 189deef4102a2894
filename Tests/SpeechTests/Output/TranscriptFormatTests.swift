import Generation
import Foundation
import Testing

@testable import Speech

@Suite struct TranscriptFormatTests {
    private let transcript = Transcript(
        language: "en", languageProbability: 0.5, duration: 3725.5,
        segments: [
            TranscriptSegment(
                index: 0, start: 0, end: 2.0004, text: " Ask <b>not</b> & --> go", tokens: [50364, 7, 8, 50464],
                temperature: 0,
                averageLogProbability: -0.25, compressionRatio: 1.5, noSpeechProbability: 0.01,
                words: [
                    TimedWord(text: " Ask", start: 0, end: 0.5, probability: 0.9),
                    TimedWord(text: " <b>not</b>", start: 0.75, end: 1, probability: 0.8),
                    TimedWord(text: " & --> go", start: 1, end: 2, probability: 1),
                ]),
            TranscriptSegment(
                index: 1, start: 3661.5, end: 3725.0126, text: " line\none\u{1b}[31m\u{2028}\"é\"\r\n", tokens: [],
                temperature: 0.2, averageLogProbability: -.infinity,
                compressionRatio: 1, noSpeechProbability: .nan),
        ])

    @Test func timesAreExact() {
        func vtt(_ seconds: Double) -> String { TranscriptFormat.time(seconds, alwaysHours: false, decimalMark: ".") }
        #expect(vtt(0) == "00:00.000" && vtt(59.9994) == "00:59.999" && vtt(59.9996) == "01:00.000")
        #expect(vtt(3599.9999) == "01:00:00.000" && vtt(360_000) == "100:00:00.000")
        #expect(vtt(-1) == "00:00.000" && vtt(.nan) == "00:00.000" && vtt(1e300) == "277777:46:40.000")
        #expect(TranscriptFormat.time(1.5, alwaysHours: true, decimalMark: ",") == "00:00:01,500")
    }

    @Test func textIsALineForEachSegment() throws {
        #expect(try TranscriptFormat.txt.write(transcript) == "Ask <b>not</b> & --> go\nline one [31m \"é\"\n")
    }

    @Test func subRipCountsItsCues() throws {
        #expect(
            try TranscriptFormat.srt.write(transcript) == """
                1
                00:00:00,000 --> 00:00:02,000
                Ask <b>not</b> & -> go

                2
                01:01:01,500 --> 01:02:05,013
                line one [31m "é"


                """)
        #expect(
            try TranscriptFormat.srt.write(transcript, words: true).hasPrefix(
                """
                1
                00:00:00,000 --> 00:00:00,500
                <u>Ask</u> <b>not</b> & -> go

                2
                00:00:00,500 --> 00:00:00,750
                Ask <b>not</b> & -> go

                3
                00:00:00,750 --> 00:00:01,000
                Ask <u><b>not</b></u> & -> go

                """))
    }

    @Test func webVTTEscapesMarkup() throws {
        #expect(
            try TranscriptFormat.vtt.write(transcript) == """
                WEBVTT

                00:00.000 --> 00:02.000
                Ask &lt;b&gt;not&lt;/b&gt; &amp; -&gt; go

                01:01:01.500 --> 01:02:05.013
                line one [31m "é"


                """)
        #expect(
            try TranscriptFormat.vtt.write(transcript, words: true).contains(
                "Ask<00:00.750> &lt;b&gt;not&lt;/b&gt;<00:01.000> &amp; -&gt; go\n"))
    }

    @Test func jsonHasThePublishedKeys() throws {
        let text = try TranscriptFormat.json.write(transcript)
        let all = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        #expect(
            all["language"] as? String == "en" && all["duration"] as? Double == 3725.5
                && all["text"] as? String == transcript.text)
        let segments = try #require(all["segments"] as? [[String: Any]])
        #expect(
            segments.count == 2 && segments[0]["id"] as? Int == 0 && segments[0]["end"] as? Double == 2
                && segments[0]["tokens"] as? [Int] == [50364, 7, 8, 50464])
        #expect(segments[0]["avg_logprob"] as? Double == -0.25 && segments[0]["compression_ratio"] as? Double == 1.5)
        let words = try #require(segments[0]["words"] as? [[String: Any]])
        #expect(
            words[1]["word"] as? String == " <b>not</b>" && words[1]["start"] as? Double == 0.75
                && words[1]["probability"] as? Double == 0.8)
        #expect(
            segments[1]["words"] == nil && segments[1]["no_speech_prob"] as? Double == 0
                && segments[1]["text"] as? String == transcript.segments[1].text)
        #expect(!text.contains("\u{1b}"), "no escape sequence reaches a terminal")
    }

    @Test func nothingIsAnEmptyFile() throws {
        let empty = Transcript(language: nil, duration: 0, segments: [])
        #expect(
            try TranscriptFormat.txt.write(empty) == "" && TranscriptFormat.srt.write(empty) == ""
                && TranscriptFormat.vtt.write(empty) == "WEBVTT\n\n")
        #expect(try TranscriptFormat.json.write(empty).contains("\"segments\""))
    }
}
