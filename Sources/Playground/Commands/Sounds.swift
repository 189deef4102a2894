import Foundation
import Media

/// A recording small enough for the chat: how loud it is over its time.
package struct Waveform: Sendable, Hashable {
    package var seconds: Double
    /// The loudest of each of up to 96 equal stretches, 0…1 of the loudest of all.
    package var levels: [Float]

    package init(seconds: Double, levels: [Float]) {
        self.seconds = seconds
        self.levels = levels
    }

    static let stretches = 96

    /// - Parameter sampleRate: Hz.
    init(samples: [Float], sampleRate: Int) {
        seconds = sampleRate > 0 ? Double(samples.count) / Double(sampleRate) : 0
        let magnitudes = Pooling.max.pool(
            samples.map { $0.isFinite ? abs($0) : 0 }, samples.indices, columns: min(Self.stretches, samples.count))
        let most = magnitudes.max() ?? 0
        levels = most > 0 ? magnitudes.map { $0 / most } : magnitudes
    }
}

/// Reads recordings for the chat.
enum Sounds {
    /// - Throws: `MediaError`, which says what is wrong with the file.
    static func waveform(path: String) throws(MediaError) -> Waveform {
        let recording = try AudioFile.load(path: Completion.expanded(path), acceptTruncated: true)
        return Waveform(samples: recording.samples, sampleRate: recording.sampleRate)
    }
}

extension State {
    mutating func outlined(_ path: String, _ waveform: Waveform) -> [Effect] {
        for index in chat.messages.indices where chat.messages[index].audioPath == path {
            chat.messages[index].waveform = waveform
        }
        return []
    }
}
