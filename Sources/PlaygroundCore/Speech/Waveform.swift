/// The loudness of a recording over time, for the chat.
package struct Waveform: Sendable, Hashable, Codable {
    package var seconds: Double
    /// The peak of each of up to 96 equal stretches, relative to the highest peak.
    package var levels: [Float]

    package init(seconds: Double, levels: [Float]) {
        self.seconds = seconds
        self.levels = levels
    }

    package static let stretches = 96

    /// - Parameter sampleRate: Hz.
    package init(samples: [Float], sampleRate: Int) {
        seconds = sampleRate > 0 ? Double(samples.count) / Double(sampleRate) : 0
        let magnitudes = Pooling.max.pool(
            samples.map { $0.isFinite ? abs($0) : 0 }, samples.indices, columns: min(Self.stretches, samples.count))
        let most = magnitudes.max() ?? 0
        levels = most > 0 ? magnitudes.map { $0 / most } : magnitudes
    }
}

extension State {
    mutating func didLoadWaveform(_ path: String, _ waveform: Waveform) -> [Effect] {
        for index in chat.messages.indices where chat.messages[index].audioPath == path {
            chat.messages[index].waveform = waveform
        }
        return []
    }
}
