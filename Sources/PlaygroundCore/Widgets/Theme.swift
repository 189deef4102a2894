import Terminal

/// Colors and capabilities of the screen. Text keeps the terminal's own colors, so that it is legible on light
/// terminals.
package struct Theme: Sendable, Hashable {
    package var capabilities: ScreenCapabilities
    package var name: ThemeName {
        didSet { colors = ThemeColors(name, on: capabilities.background) }
    }
    private var colors: ThemeColors

    package init(
        _ capabilities: ScreenCapabilities = ScreenCapabilities(depth: .direct, unicode: true), name: ThemeName = .auto
    ) {
        self.capabilities = capabilities
        self.name = name
        colors = ThemeColors(name, on: capabilities.background)
    }

    var ascii: Bool { !capabilities.unicode }

    let text = Style.plain
    let strong = Style(.standard, on: .standard, .bold)
    var quiet: Style { colors.quiet }
    var faint: Style { colors.faint }
    var accent: Style { colors.accent }
    var person: Style { colors.person }
    var model: Style { colors.model }
    var error: Style { colors.error }
    var warning: Style { colors.warning }
    var bar: Style { colors.bar }
    /// The unfilled part of progress bars on the status line.
    var track: Color { colors.track }
    /// The token whose attention is shown.
    var selection: Style { colors.selection }

    /// From improbable through middling to certain.
    func probability(_ probability: Float) -> Color {
        let stops = colors.probabilities
        guard stops.allSatisfy({ $0 != .standard }) else { return .standard }
        let value = Double(max(0, min(1, probability)))
        return value < 0.5 ? stops[0].mixed(with: stops[1], value * 2) : stops[1].mixed(with: stops[2], value * 2 - 1)
    }

    /// Reversed on terminals without colors.
    var selected: Style { capabilities.depth == .none ? Style(.standard, on: .standard, .reverse) : selection }
    /// Reversed on terminals without grays.
    var statusBar: Style { capabilities.depth.showsRasters ? bar : Style(.standard, on: .standard, .reverse) }

    func notice(_ kind: Notice.Kind) -> Style {
        switch kind {
        case .information: quiet
        case .warning: warning
        case .error: error
        }
    }
}
