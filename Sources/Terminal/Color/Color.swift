/// A color of a cell: the terminal's own, or 24-bit sRGB.
package struct Color: Hashable, Sendable {
    /// 0xRRGGBB, or all ones for the terminal's default.
    let raw: UInt32

    private init(raw: UInt32) { self.raw = raw }

    /// The terminal's default foreground or background.
    package static let standard = Color(raw: .max)

    /// From 0xRRGGBB.
    package init(_ rgb: UInt32) { raw = rgb & 0xFFFFFF }

    package init(red: UInt8, green: UInt8, blue: UInt8) { raw = UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue) }

    package var isStandard: Bool { raw == .max }
    package var red: UInt8 { UInt8(truncatingIfNeeded: raw >> 16) }
    package var green: UInt8 { UInt8(truncatingIfNeeded: raw >> 8) }
    package var blue: UInt8 { UInt8(truncatingIfNeeded: raw) }
    /// 0xRRGGBB; nil for the terminal's default.
    package var rgb: UInt32? { isStandard ? nil : raw }

    /// Brightness 0…1 by the Rec. 709 weights on the encoded values.
    package var luma: Double { (0.2126 * Double(red) + 0.7152 * Double(green) + 0.0722 * Double(blue)) / 255 }

    /// This color mixed with `share` (0…1) of another.
    package func mixed(with other: Color, _ share: Double) -> Color {
        let amount = Int32(max(0, min(1, share)) * 256)
        func channel(_ a: UInt8, _ b: UInt8) -> UInt8 {
            UInt8(truncatingIfNeeded: Int32(a) + (Int32(b) - Int32(a)) * amount / 256)
        }
        return Color(red: channel(red, other.red), green: channel(green, other.green), blue: channel(blue, other.blue))
    }

    /// The same hue at another brightness: darker towards black, brighter towards white.
    package func with(luma target: Double) -> Color {
        let luma = luma, target = max(0, min(1, target))
        return target < luma
            ? Color(0x000000).mixed(with: self, target / luma)
            : mixed(with: Color(0xFFFFFF), luma < 1 ? (target - luma) / (1 - luma) : 0)
    }
}
