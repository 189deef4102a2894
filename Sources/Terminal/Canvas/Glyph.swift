import CNcurses

/// The content of a cell: a base scalar and up to two combining marks. A trivial type, so that comparing canvases is
/// fast.
package struct Glyph: Hashable, Sendable {
    package private(set) var base: UInt32
    package private(set) var firstMark: UInt32 = 0
    package private(set) var secondMark: UInt32 = 0

    package init(_ scalar: Unicode.Scalar) { base = scalar.value }

    package static let space = Glyph(" ")

    /// Adds a mark; marks beyond the second are dropped.
    mutating func combine(_ scalar: Unicode.Scalar) {
        if firstMark == 0 { firstMark = scalar.value } else if secondMark == 0 { secondMark = scalar.value }
    }

    package var scalars: [UInt32] { [base, firstMark, secondMark].filter { $0 != 0 } }

    package var text: String {
        var view = String.UnicodeScalarView()
        for value in scalars { if let scalar = Unicode.Scalar(value) { view.append(scalar) } }
        return String(view)
    }
}

/// A glyph and its width of one or two columns.
package struct PlacedGlyph: Hashable, Sendable {
    package var glyph: Glyph
    package var width: Int
}

/// The cells that text takes.
///
/// The widths are those of the C library's `wcwidth`, because ncurses uses them too: if the two disagreed, the
/// rest of the line would be drawn in the wrong place. So a cell holds one scalar of width 1 or 2 with the marks of
/// width 0 after it. Emoji joined by U+200D, skin tones and variation selectors come down to their first picture, since
/// terminals differ in the width they give to the whole.
package enum TextWidth {
    /// True once the process has a UTF-8 locale; `wcwidth` knows nothing beyond ASCII without one.
    package static let hasUTF8: Bool = fovea_use_utf8_locale()

    package static func width(of scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        if value >= 0x20 && value < 0x7F { return 1 }
        _ = hasUTF8
        return Int(fovea_scalar_width(value))
    }

    /// Columns that `text` takes when drawn.
    package static func width(of text: String) -> Int {
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
        return glyphs(of: text).reduce(0) { $0 + $1.width }
    }

    /// The glyphs of `text` without control characters and line feeds; callers split lines first.
    package static func glyphs(of text: String) -> [PlacedGlyph] {
        var placed: [PlacedGlyph] = []
        placed.reserveCapacity(text.utf8.count)
        var joined = false
        for scalar in text.unicodeScalars {
            if scalar.value == 0x200D { joined = !placed.isEmpty; continue }
            if isVariationSelector(scalar) || (isSkinTone(scalar) && placed.last?.width == 2) { continue }
            let width = width(of: scalar)
            if width == 0 {
                if !placed.isEmpty { placed[placed.count - 1].glyph.combine(scalar) }
            } else if width > 0 {
                if joined && width == 2 { joined = false; continue }
                placed.append(PlacedGlyph(glyph: Glyph(scalar), width: width))
            }
            joined = false
        }
        return placed
    }

    private static func isVariationSelector(_ scalar: Unicode.Scalar) -> Bool {
        (0xFE00...0xFE0F).contains(scalar.value)
    }
    private static func isSkinTone(_ scalar: Unicode.Scalar) -> Bool { (0x1F3FB...0x1F3FF).contains(scalar.value) }
}
