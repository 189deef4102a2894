import Compute
import Terminal

/// Colors and glyphs of the screen. Text keeps the terminal's own colors, so that light terminals stay legible.
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

    /// The selection also reverses where there are no colors.
    var selected: Style { capabilities.depth == .none ? Style(.standard, on: .standard, .reverse) : selection }
    /// The bar reverses where greys are not to be had.
    var statusBar: Style { capabilities.depth.showsRasters ? bar : Style(.standard, on: .standard, .reverse) }

    func notice(_ kind: Notice.Kind) -> Style {
        switch kind {
        case .information: quiet
        case .warning: warning
        case .error: error
        }
    }

    /// From the palette of Okabe and Ito, told apart by the color-blind.
    static let purposeColors: [MemoryPurpose: Color] = [
        .weightsEncoder: Color(0x56B4E9), .weightsDecoder: Color(0x3C7FC0), .weightsVision: Color(0x009E73),
        .weightsProjector: Color(0x66C2A5),
        .selfKV: Color(0xE69F00), .crossKV: Color(0xD5662B), .activations: Color(0xCC79A7), .capture: Color(0xE8DC5A),
        .staging: Color(0x9AA0A8),
        .pipelines: Color(0x6E747D),
    ]

    static let purposeNames: [MemoryPurpose: String] = [
        .weightsEncoder: "encoder weights", .weightsDecoder: "decoder weights", .weightsVision: "vision weights",
        .weightsProjector: "projector weights",
        .selfKV: "self KV cache", .crossKV: "cross KV cache", .activations: "activations",
        .capture: "attention capture", .staging: "staging",
        .pipelines: "pipelines",
    ]
}
