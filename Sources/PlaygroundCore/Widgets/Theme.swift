import Terminal

/// Colors and capabilities of the screen. Text keeps the terminal's own colors, so that it is legible on light
/// terminals.
package struct Theme: Sendable, Hashable {
    package var capabilities: ScreenCapabilities

    package init(_ capabilities: ScreenCapabilities = ScreenCapabilities(depth: .direct, unicode: true)) {
        self.capabilities = capabilities
    }

    var ascii: Bool { !capabilities.unicode }

    let text = Style.plain
    let strong = Style(.standard, on: .standard, .bold)
    let quiet = Style(Color(0x8B93A1))
    let faint = Style(Color(0x525A68))
    let accent = Style(Color(0xE5A84B))
    let person = Style(Color(0x6CB6FF), on: .standard, .bold)
    let model = Style(Color(0x7FCB8B), on: .standard, .bold)
    let error = Style(Color(0xF47067))
    let warning = Style(Color(0xE0B050))
    let bar = Style(Color(0xAEB6C2), on: Color(0x20252E))
    /// The token whose attention is shown.
    let selection = Style(Color(0x16181D), on: Color(0xE5A84B))

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
