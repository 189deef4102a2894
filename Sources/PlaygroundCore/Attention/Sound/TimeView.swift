import Terminal

/// Mapping from the time of a window to columns.
struct TimeView {
    let sound: SoundView
    /// The columns of the map, with a margin for labels at the left if there is room.
    let rect: Rect
    /// Share of the window that is shown, from its start.
    let share: Double

    init(sound: SoundView, showsPadding: Bool, _ area: Rect) {
        self.sound = sound
        rect = area.width >= 56 ? area.inset(left: 6) : area
        // A little silence after the end, to make the end visible.
        let seen = min(sound.length, (sound.duration + 0.4).rounded(.up))
        share = showsPadding || sound.length <= 0 ? 1 : max(0.02, seen / sound.length)
    }

    var seconds: Double { sound.length * share }

    /// The column of a share (0…1) of the window; nil if it is outside.
    func column(_ place: Double) -> Int? {
        guard place.isFinite, abs(place) < 1e6 else { return nil }
        let column = Int(place / share * Double(rect.width))
        return column >= 0 && column < rect.width ? column : nil
    }
}
