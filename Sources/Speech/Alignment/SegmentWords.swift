/// A stretch of transcript that takes its words from an alignment, with times from the start of the recording.
package struct SegmentWords: Sendable, Hashable {
    package var start: Double
    package var end: Double
    /// Number of the segment's text tokens.
    package let textTokens: Int
    package var words: [AlignedWord]

    package init(start: Double, end: Double, textTokens: Int) {
        self.start = start
        self.end = end
        self.textTokens = textTokens
        words = []
    }

    /// Deals aligned words out to the segments of a window and settles where segment and word times disagree, by
    /// Whisper's published rules: a first or last word is not longer than twice the median after a pause, and the
    /// segment's own timestamp wins over a word that strays more than half a second beyond it.
    ///
    /// - Parameters:
    ///   - words: the window's words after merging, in seconds from the window's start.
    ///   - offset: the window's start in the recording, seconds.
    ///   - lastSpeech: where speech ended before this window; updated.
    package static func assign(
        _ words: [AlignedWord], to segments: inout [SegmentWords], offset: Double, median: Double, maximum: Double,
        lastSpeech: inout Double
    ) {
        var next = 0
        for index in segments.indices {
            var saved = 0
            var own: [AlignedWord] = []
            while next < words.count, saved < segments[index].textTokens {
                var word = words[next]
                saved += word.tokens.count
                next += 1
                guard !word.text.isEmpty else { continue }
                word.start = hundredths(offset + word.start)
                word.end = hundredths(offset + word.end)
                own.append(word)
            }
            if !own.isEmpty {
                segments[index].settle(&own, median: median, maximum: maximum, lastSpeech: lastSpeech)
                lastSpeech = segments[index].end
            }
            segments[index].words = own
        }
    }

    private mutating func settle(_ own: inout [AlignedWord], median: Double, maximum: Double, lastSpeech: Double) {
        if own[0].end - lastSpeech > median * 4,
            own[0].end - own[0].start > maximum || (own.count > 1 && own[1].end - own[0].start > maximum * 2)
        {
            if own.count > 1, own[1].end - own[1].start > maximum {
                let boundary = max(own[1].end / 2, own[1].end - maximum)
                own[0].end = boundary
                own[1].start = boundary
            }
            own[0].start = max(0, own[0].end - maximum)
        }
        if start < own[0].end, start - 0.5 > own[0].start {
            own[0].start = max(0, min(own[0].end - median, start))
        } else {
            start = own[0].start
        }
        let last = own.count - 1
        if end > own[last].start, end + 0.5 < own[last].end {
            own[last].end = max(own[last].start + median, end)
        } else {
            end = own[last].end
        }
    }

    private static func hundredths(_ seconds: Double) -> Double { (seconds * 100).rounded(.toNearestOrEven) / 100 }
}
