import Generation

/// A window of sound for the attention panel: its times, and a spectrogram small enough to draw thirty times a second.
package struct SoundView: Sendable {
    package let index: Int
    /// Seconds from the start of the recording.
    package let start: Double
    /// Seconds of sound; the rest of the window is padding.
    package let duration: Double
    /// Seconds of the window.
    package let length: Double
    package let language: String?
    package let languageProbability: Float?
    let mels: Int
    let columns: Int
    /// Energies 0…1, `[mels, columns]`, mel 0 lowest.
    private let energies: [Float]

    static let mostColumns = 600

    /// Averages frames to at most `mostColumns` and stretches the energies of the sound to 0…1.
    init(_ window: AudioWindow) {
        index = window.index
        start = window.start
        // Mel frames are 10 ms apart.
        length = Double(max(0, window.frames)) * 0.01
        duration = min(max(0, window.duration), length)
        language = window.language
        languageProbability = window.languageProbability
        let frames = window.frames
        let isWhole = window.mels > 0 && frames > 0 && window.logMel.count == window.mels * frames
        mels = isWhole ? window.mels : 0
        columns = isWhole ? min(Self.mostColumns, frames) : 0
        var energies = [Float](repeating: 0, count: mels * columns)
        let (mels, columns) = (mels, columns)
        window.logMel.withUnsafeBufferPointer { logMel in
            for mel in 0..<mels {
                for column in 0..<columns {
                    let first = column * frames / columns, last = max(first + 1, (column + 1) * frames / columns)
                    var total: Float = 0
                    for frame in first..<last { total += logMel[mel * frames + frame] }
                    energies[mel * columns + column] = total / Float(last - first)
                }
            }
        }
        let sounding = Self.sounding(energies, mels: mels, columns: columns, share: length > 0 ? duration / length : 0)
        let low = sounding.isEmpty ? 0 : sounding[sounding.count / 5],
            high = sounding.isEmpty ? 0 : sounding[sounding.count - 1 - sounding.count / 200]
        let span = high - low
        self.energies = span > 0 ? energies.map { min(1, max(0, ($0 - low) / span)) } : energies.map { _ in 0 }
    }

    /// Energies of the part that is not padding, ascending; the quietest fifth of them becomes black, the loudest 1/200 white.
    private static func sounding(_ energies: [Float], mels: Int, columns: Int, share: Double) -> [Float] {
        let seen = min(columns, max(1, Int((share * Double(columns)).rounded(.up))))
        return (0..<mels).flatMap { energies[$0 * columns..<$0 * columns + min(seen, columns)] }.sorted()
    }

    /// Mean energy over a range of time (shares of the window, 0…1) and a range of mels (shares of the scale, 0…1 upwards).
    func energy(time: (Double, Double), pitch: (Double, Double)) -> Float {
        guard mels > 0, columns > 0 else { return 0 }
        let firstColumn = min(columns - 1, max(0, Int(time.0 * Double(columns)))),
            firstMel = min(mels - 1, max(0, Int(pitch.0 * Double(mels))))
        let lastColumn = min(columns, max(firstColumn + 1, Int(time.1 * Double(columns)))),
            lastMel = min(mels, max(firstMel + 1, Int(pitch.1 * Double(mels))))
        var total: Float = 0
        for mel in firstMel..<lastMel {
            for column in firstColumn..<lastColumn { total += energies[mel * columns + column] }
        }
        return total / Float((lastColumn - firstColumn) * (lastMel - firstMel))
    }
}
