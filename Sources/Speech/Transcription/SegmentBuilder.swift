import Generation

/// A piece of a window's text between two timestamps, before words and figures are added.
struct DraftSegment {
    var start: Double
    var end: Double
    /// Timestamps included.
    var tokens: [Int]
    var words: [TimedWord]?
}

/// Cuts a window's tokens into segments at their timestamps and says where to listen on.
struct SegmentBuilder {
    let timestampBegin: Int
    /// Mel frames for each timestamp step: 2.
    let framesPerTimestamp: Int

    struct Cut {
        var segments: [DraftSegment]
        /// Frames to move on.
        var advance: Int
        /// Number of tokens that are part of a segment; the rest belongs to an unfinished one and is decoded again.
        var used: Int
        /// The window ends with a lone timestamp: nothing is said after it.
        var endsInSilence: Bool
    }

    /// - Parameters:
    ///   - tokens: of the window, without the end.
    ///   - offset: the window's start, seconds.
    ///   - frames: of sound in the window.
    func cut(_ tokens: [Int], offset: Double, frames: Int) -> Cut {
        let secondsPerTimestamp = Double(framesPerTimestamp) / SpeechTiming.framesPerSecond
        let isTimestamp = tokens.map { $0 >= timestampBegin }
        let endsInSilence = tokens.count >= 2 && !isTimestamp[tokens.count - 2] && isTimestamp[tokens.count - 1]
        var cuts = tokens.indices.dropFirst().filter { isTimestamp[$0 - 1] && isTimestamp[$0] }
        guard !cuts.isEmpty else {
            // One segment; it ends at the last timestamp if there is one that says something.
            var duration = Double(frames) / SpeechTiming.framesPerSecond
            if let last = tokens.last(where: { $0 >= timestampBegin }), last != timestampBegin {
                duration = Double(last - timestampBegin) * secondsPerTimestamp
            }
            return Cut(
                segments: [DraftSegment(start: offset, end: offset + duration, tokens: tokens)], advance: frames,
                used: tokens.count,
                endsInSilence: endsInSilence)
        }
        if endsInSilence { cuts.append(tokens.count) }
        var segments: [DraftSegment] = []
        var first = 0
        for next in cuts {
            let own = Array(tokens[first..<next])
            func seconds(_ token: Int?) -> Double {
                offset + Double((token ?? timestampBegin) - timestampBegin) * secondsPerTimestamp
            }
            segments.append(DraftSegment(start: seconds(own.first), end: seconds(own.last), tokens: own))
            first = next
        }
        let lastTimestamp = tokens[first - 1] - timestampBegin
        return Cut(
            segments: segments, advance: endsInSilence ? frames : lastTimestamp * framesPerTimestamp, used: first,
            endsInSilence: endsInSilence)
    }
}
