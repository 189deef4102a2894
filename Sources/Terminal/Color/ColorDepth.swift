/// Color depth of a terminal, with the reduction of colors to it.
package enum ColorDepth: String, Sendable, Hashable, CaseIterable {
    /// NO_COLOR, or a terminal without colors.
    case none
    /// The eight ANSI colors; rasters become shading characters.
    case eight
    /// xterm's cube of 6×6×6 colors and 24 grays.
    case palette
    /// 24 bits.
    case direct

    /// True if half blocks in two colors can show pictures.
    package var showsRasters: Bool { self == .palette || self == .direct }

    /// ncurses' number of the color at this depth; -1 is the terminal's default.
    package func index(of color: Color, isBackground: Bool) -> Int32 {
        guard let rgb = color.rgb else { return -1 }
        switch self {
        case .none: return -1
        // Direct-color terminfo entries keep 0…7 for the ANSI colors; nobody sees the difference of 8/255 in blue.
        case .direct: return Int32(max(rgb, 8))
        case .palette: return Self.paletteIndex(color)
        case .eight: return Self.ansiIndex(color, isBackground: isBackground)
        }
    }

    /// The closest of xterm's colors 16…255, by squared distance.
    static func paletteIndex(_ color: Color) -> Int32 {
        let steps: [Int32] = [0, 95, 135, 175, 215, 255]
        func nearest(_ value: UInt8) -> Int { value < 48 ? 0 : value < 115 ? 1 : (Int(value) - 35) / 40 }
        func square(_ a: Int32, _ b: UInt8) -> Int32 { (a - Int32(b)) * (a - Int32(b)) }
        let r = nearest(color.red), g = nearest(color.green), b = nearest(color.blue)
        let cubeError = square(steps[r], color.red) + square(steps[g], color.green) + square(steps[b], color.blue)
        let mean = (Int(color.red) + Int(color.green) + Int(color.blue)) / 3
        let grey = max(0, min(23, (mean - 3) / 10))
        let greyValue = Int32(8 + 10 * grey)
        let greyError = square(greyValue, color.red) + square(greyValue, color.green) + square(greyValue, color.blue)
        return greyError < cubeError ? Int32(232 + grey) : Int32(16 + 36 * r + 6 * g + b)
    }

    /// The ANSI color by hue; grays are the terminal's own colors.
    static func ansiIndex(_ color: Color, isBackground: Bool) -> Int32 {
        let high = max(color.red, color.green, color.blue), low = min(color.red, color.green, color.blue)
        if high < 60 || high - low < 50 { return -1 }
        let middle = (UInt16(high) + UInt16(low)) / 2
        var index: Int32 = 0
        if UInt16(color.red) > middle { index |= 1 }
        if UInt16(color.green) > middle { index |= 2 }
        if UInt16(color.blue) > middle { index |= 4 }
        return isBackground && index == 7 ? -1 : index
    }
}
