import Terminal

/// The themes that can be chosen.
package enum ThemeName: String, CaseIterable, Sendable, Hashable {
    /// `dark` or `light`, by the terminal's background.
    case auto
    case dark
    case light
    /// The terminal's own text color, with bold and reverse.
    case highContrast = "high-contrast"
    /// The colors of Okabe and Ito, on dark backgrounds.
    case colorBlind = "color-blind"
}

/// Text styles of a theme. All have a contrast of at least 4.5 to 1 (WCAG 2.1, level AA) on the backgrounds they are for:
/// up to #1E1E1E in dark themes, from #F0F0F0 in the light one.
struct ThemeColors: Sendable, Hashable {
    var quiet: Style
    var faint: Style
    var accent: Style
    var person: Style
    var model: Style
    var error: Style
    var warning: Style
    var bar: Style
    /// The unfilled part of progress bars.
    var track: Color
    /// The token whose attention is shown.
    var selection: Style
    /// Colors of an improbable, a middling and a certain token.
    var probabilities: [Color]

    static let dark = ThemeColors(
        quiet: Style(Color(0x9AA3B0)), faint: Style(Color(0x828B99)), accent: Style(Color(0xE5A84B)),
        person: Style(Color(0x6CB6FF), on: .standard, .bold), model: Style(Color(0x7FCB8B), on: .standard, .bold),
        error: Style(Color(0xF47067)), warning: Style(Color(0xE0B050)),
        bar: Style(Color(0xAEB6C2), on: Color(0x20252E)), track: Color(0x3A414D),
        selection: Style(Color(0x16181D), on: Color(0xE5A84B)),
        probabilities: [Color(0xF0705A), Color(0xE5C04B), Color(0x7FCB8B)])

    static let light = ThemeColors(
        quiet: Style(Color(0x535B68)), faint: Style(Color(0x606874)), accent: Style(Color(0x8A5200)),
        person: Style(Color(0x0B5CAD), on: .standard, .bold), model: Style(Color(0x1B6E2F), on: .standard, .bold),
        error: Style(Color(0xB3261E)), warning: Style(Color(0x7A5C00)),
        bar: Style(Color(0x2A303A), on: Color(0xDDE2E9)), track: Color(0xB4BCC8),
        selection: Style(Color(0xFFFFFF), on: Color(0x8A5200)),
        probabilities: [Color(0xB3361E), Color(0x7A5C00), Color(0x1B6E2F)])

    static let highContrast = ThemeColors(
        quiet: .plain, faint: .plain, accent: Style(.standard, on: .standard, .bold),
        person: Style(.standard, on: .standard, [.bold, .underline]), model: Style(.standard, on: .standard, .bold),
        error: Style(.standard, on: .standard, [.bold, .reverse]), warning: Style(.standard, on: .standard, .bold),
        bar: Style(Color(0xFFFFFF), on: Color(0x000000)), track: Color(0x000000),
        selection: Style(Color(0x000000), on: Color(0xFFFF00)),
        probabilities: [.standard, .standard, .standard])

    static let colorBlind = {
        var colors = dark
        colors.accent = Style(Color(0xF0E442))
        colors.person = Style(Color(0x56B4E9), on: .standard, .bold)
        colors.model = Style(Color(0xE69F00), on: .standard, .bold)
        colors.error = Style(Color(0xFF8A4C), on: .standard, .bold)
        colors.warning = Style(Color(0xF0E442))
        colors.selection = Style(Color(0x16181D), on: Color(0xF0E442))
        colors.probabilities = [Color(0xFF8A4C), Color(0xF0E442), Color(0x56B4E9)]
        return colors
    }()
}

extension ThemeColors {
    /// The colors of a theme; `auto` chooses by the background.
    init(_ name: ThemeName, on background: Color?) {
        self =
            switch name {
            case .auto: (background?.luma ?? 0) > 0.5 ? .light : .dark
            case .dark: .dark
            case .light: .light
            case .highContrast: .highContrast
            case .colorBlind: .colorBlind
            }
    }
}
