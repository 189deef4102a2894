import Foundation
import Terminal

/// The log-mel spectrogram in gray, with the heat of each column mixed in.
enum Spectrogram {
    private static let quiet = Color(0x14171C)
    private static let loud = Color(0xB4BECC)

    static func draw(
        _ sound: SoundView, _ view: TimeView, heat: [Float], _ attention: AttentionState, in rect: Rect, _ theme: Theme,
        onto canvas: inout Canvas
    ) {
        let blitter = theme.capabilities.blitter
        let width = view.rect.width, height = rect.height * blitter.density.down
        guard width > 0, height > 0 else { return }
        var raster = Raster(width: width, height: height)
        for column in 0..<width {
            let strength = column < heat.count ? heat[column] : 0
            let tint = attention.colorMap.color(0.15 + 0.85 * strength)
            let share = Double(strength).squareRoot() * Double(attention.opacity) / 100
            let from = view.share * Double(column) / Double(width), to = view.share * Double(column + 1) / Double(width)
            let isPadding = from * sound.length >= sound.duration
            for row in 0..<height {
                let low = Double(height - 1 - row) / Double(height), high = Double(height - row) / Double(height)
                let energy = isPadding ? 0 : sound.energy(time: (from, to), pitch: (low, high))
                let base = quiet.mixed(with: loud, Double(energy) * (0.45 + 0.45 * Double(energy)))
                // Quiet parts take a darker tint, so that the spectrogram stays visible.
                let lit = quiet.mixed(with: tint, 0.35 + 0.65 * Double(energy))
                raster[column, row] = base.mixed(with: lit, share)
            }
        }
        blitter.blit(raster, onto: &canvas, at: Rect(x: view.rect.x, y: rect.y, width: width, height: rect.height))
        if view.rect.x > rect.x {
            drawPitches(
                in: Rect(x: rect.x, y: rect.y, width: view.rect.x - rect.x, height: rect.height), theme, onto: &canvas)
        }
    }

    /// Frequencies at the left, on Slaney's mel scale from 0 to 8 kHz, which Whisper's filters use.
    private static func drawPitches(in rect: Rect, _ theme: Theme, onto canvas: inout Canvas) {
        var last = Int.max
        for (hertz, label) in [
            (8000.0, "8 kHz"), (4000, "4 kHz"), (2000, "2 kHz"), (1000, "1 kHz"), (500, "500"), (0, "0 Hz"),
        ] {
            let share = mel(hertz) / mel(8000)
            let y = rect.y + min(rect.height - 1, Int((1 - share) * Double(rect.height)))
            if last != .max && y - last < 2 { continue }
            canvas.draw(label, endingAt: rect.right - 1, y: y, theme.faint, in: rect)
            last = y
        }
    }

    /// Slaney's Auditory Toolbox: linear to 1 kHz, then 27 steps per factor of 6.4.
    private static func mel(_ hertz: Double) -> Double {
        hertz < 1000 ? hertz * 3 / 200 : 15 + 27 * Foundation.log(hertz / 1000) / Foundation.log(6.4)
    }
}
