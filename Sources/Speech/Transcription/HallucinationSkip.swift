import Generation

/// Leaves out text that the model probably made up around silence, by the rules of the published `transcribe`: a segment
/// of improbable, very short or very long words that stands between silences longer than the threshold.
struct HallucinationSkip {
    /// Seconds.
    let threshold: Double
    let windowStart: Double
    /// Of sound in the window.
    let frames: Int
    let contentDuration: Double
    let lastSpeech: Double

    private var windowEnd: Double { windowStart + Double(SpeechTiming.framesPerWindow) / SpeechTiming.framesPerSecond }

    /// Drops segments and changes where to listen on; true when the window's whole text was given up.
    func apply(to cut: inout SegmentBuilder.Cut) -> Bool {
        let seek = frameIndex(windowStart)
        if !cut.endsInSilence, let end = lastWord(of: cut.segments), end > windowStart {
            cut.advance = windowEnd - end > threshold ? frameIndex(end) - seek : frames
        }
        if let first = cut.segments.first(where: hasWords), isAnomalous(first) {
            let gap = first.start - windowStart
            if gap > threshold {
                cut.advance = frameIndex(gap)
                cut.segments = []
                cut.used = 0
                return true
            }
        }
        var end = lastSpeech
        for (index, segment) in cut.segments.enumerated() where hasWords(segment) {
            if isAnomalous(segment) {
                let next = cut.segments[(index + 1)...].first(where: hasWords)
                let nextStart = next?.words?.first?.start ?? windowStart + Double(frames) / SpeechTiming.framesPerSecond
                let isQuietBefore =
                    segment.start - end > threshold || segment.start < threshold || segment.start - windowStart < 2
                let isQuietAfter =
                    nextStart - segment.end > threshold || next.map(isAnomalous) ?? false || windowEnd - segment.end < 2
                if isQuietBefore, isQuietAfter {
                    cut.advance =
                        contentDuration - segment.end < threshold
                        ? frameIndex(contentDuration) - seek : frameIndex(max(windowStart + 1, segment.start)) - seek
                    cut.used = cut.segments[..<index].reduce(0) { $0 + $1.tokens.count }
                    cut.segments.removeSubrange(index...)
                    return false
                }
            }
            end = segment.end
        }
        return false
    }

    private func hasWords(_ segment: DraftSegment) -> Bool { !(segment.words ?? []).isEmpty }

    private func lastWord(of segments: [DraftSegment]) -> Double? {
        segments.last(where: hasWords)?.words?.last?.end ?? segments.last?.end
    }

    private func frameIndex(_ seconds: Double) -> Int {
        Int((seconds * SpeechTiming.framesPerSecond).rounded(.toNearestOrEven))
    }

    /// True if the first eight words together are improbable, very short or very long.
    private func isAnomalous(_ segment: DraftSegment) -> Bool {
        let marks = WordTiming.prependedPunctuation + WordTiming.appendedPunctuation
        let words = (segment.words ?? []).filter { !WordTiming.isPart($0.text, of: marks) }.prefix(8)
        guard hasWords(segment) else { return false }
        let score = words.reduce(0.0) { $0 + oddity($1) }
        return score >= 3 || score + 0.01 >= Double(words.count)
    }

    private func oddity(_ word: TimedWord) -> Double {
        let duration = word.end - word.start
        return (word.probability < 0.15 ? 1 : 0) + max(0.133 - duration, 0) * 15 + max(duration - 2, 0)
    }
}
