import Foundation
import Media

/// Level of a microphone recording over time.
package struct SpokenMeter: Sendable, Hashable {
    package var seconds = 0.0
    /// 0…1 per chunk of about a tenth of a second.
    package var levels: [Float] = []
    /// True while recording.
    package var isOpen = true
}

extension Recording {
    /// Loudness 0…1 over the 60 dB below full scale, for a level meter.
    package var level: Float {
        guard !samples.isEmpty else { return 0 }
        let power = samples.reduce(Float(0)) { $0 + ($1.isFinite ? $1 * $1 : 0) } / Float(samples.count)
        return power > 0 ? max(0, min(1, 1 + 10 * Float(log10(Double(power))) / 60)) : 0
    }
}
