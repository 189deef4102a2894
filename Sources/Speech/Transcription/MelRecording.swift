import Generation

/// The log-mel energies of a whole recording.
package struct MelRecording: Sendable {
    package let mels: Int
    /// Frames in the array, 10 ms each; may reach beyond the sound (the reference pads 30 s of silence before computing).
    package let frames: Int
    /// `[mels, frames]`, row-major, normalized as the model wants it.
    package let values: [Float]
    /// Whole frames of actual sound.
    package let contentFrames: Int
    /// Seconds of sound.
    package let duration: Double

    /// - Throws: ``GenerationError/recording(expected:actual:)`` when array and figures disagree.
    package init(mels: Int, frames: Int, values: [Float], duration: Double) throws {
        guard mels > 0, frames >= 0, values.count == mels * frames else {
            throw GenerationError.recording(expected: "[\(mels), \(frames)] log-mel values", actual: "\(values.count)")
        }
        guard duration >= 0, duration.isFinite else {
            throw GenerationError.recording(expected: "a duration in seconds", actual: "\(duration)")
        }
        self.mels = mels
        self.frames = frames
        self.values = values
        self.duration = duration
        // A frame is begun every 160 samples; the part behind the last whole one has none. The margin is for figures such as
        // 11.3, which binary fractions miss.
        contentFrames = Int(min(duration * SpeechTiming.framesPerSecond + 1e-6, Double(frames)))
    }

    /// `[mels, length]`: `count` frames from `first` on, the rest padded.
    func slice(first: Int, count: Int, length: Int, padding: WindowPadding) -> [Float] {
        let taken = max(min(count, length, frames - first), 0)
        let visible = padding == .silence ? max(min(length, frames - first), 0) : taken
        let filler: Float = padding == .silence && visible < length ? values.min() ?? 0 : 0
        var slice = [Float](repeating: filler, count: mels * length)
        for mel in 0..<mels {
            slice.replaceSubrange(
                mel * length..<mel * length + visible,
                with: values[mel * frames + first..<mel * frames + first + visible])
        }
        return slice
    }
}

/// The fixed clock of Whisper's input.
enum SpeechTiming {
    /// 160 samples at 16 kHz.
    static let framesPerSecond = 100.0
    /// 30 seconds.
    static let framesPerWindow = 3000
}
