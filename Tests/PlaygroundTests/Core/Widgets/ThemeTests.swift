import Foundation
import Terminal
import Testing

@testable import PlaygroundCore

@Suite("themes")
struct ThemeTests {
    /// Relative luminance of WCAG 2.1.
    private func luminance(_ color: Color) -> Double {
        func linear(_ channel: UInt8) -> Double {
            let value = Double(channel) / 255
            return value <= 0.03928 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(color.red) + 0.7152 * linear(color.green) + 0.0722 * linear(color.blue)
    }

    private func contrast(_ a: Color, _ b: Color) -> Double {
        let (low, high) = (min(luminance(a), luminance(b)), max(luminance(a), luminance(b)))
        return (high + 0.05) / (low + 0.05)
    }

    /// The backgrounds that a theme is for, and text on its own backgrounds.
    @Test("text has a contrast of 4.5 to 1", arguments: ThemeName.allCases.filter { $0 != .auto })
    func contrast(_ name: ThemeName) {
        let colors = ThemeColors(name, on: nil)
        let backgrounds = name == .light ? [Color(0xFFFFFF), Color(0xF0F0F0)] : [Color(0x000000), Color(0x1E1E1E)]
        let styles = [
            colors.quiet, colors.faint, colors.accent, colors.person, colors.model, colors.error, colors.warning,
            colors.bar, colors.selection,
        ]
        for style in styles + colors.probabilities.map({ Style($0) }) {
            // The terminal's own color is the person's choice.
            guard !style.foreground.isStandard else { continue }
            for background in style.background.isStandard ? backgrounds : [style.background] {
                #expect(contrast(style.foreground, background) >= 4.5, "\(name) \(style) on \(background)")
            }
        }
    }

    @Test("the background chooses") func automatic() {
        #expect(ThemeColors(.auto, on: Color(0xFDF6E3)) == .light)
        #expect(ThemeColors(.auto, on: Color(0x002B36)) == .dark && ThemeColors(.auto, on: nil) == .dark)
        #expect(ThemeColors(.colorBlind, on: Color(0xFFFFFF)) == .colorBlind)
    }

    @Test("/theme changes it, and names the choices otherwise") func command() {
        var scene = Scene(80, 24)
        scene.type("/theme light")
        scene.press(Key(.enter))
        #expect(scene.state.theme.name == .light)
        scene.type("/theme pink")
        scene.press(Key(.enter))
        #expect(scene.state.theme.name == .light && scene.state.notice?.text.contains("high-contrast") == true)
    }
}

@Suite("the list of commands")
struct CommandListTests {
    @Test("commands show as one types, with a line of help") func commands() {
        var scene = Scene(100, 30)
        #expect(CommandList.rows(scene.state).isEmpty)
        scene.type("/")
        #expect(CommandList.rows(scene.state).count == SlashCommand.all.count)
        #expect(scene.text.contains("more · Tab completes"))
        scene.type("sys")
        #expect(CommandList.rows(scene.state).map(\.name).allSatisfy { $0.hasPrefix("/sys") })
        #expect(scene.text.contains(SlashCommand.named("system")?.help ?? "-"))
        scene.type("zzz")
        #expect(CommandList.rows(scene.state).isEmpty)
    }

    @Test("arguments show, without control characters") func arguments() {
        var scene = Scene(100, 30)
        scene.type("/theme ")
        #expect(CommandList.rows(scene.state).map(\.name) == ThemeName.allCases.map(\.rawValue))
        scene.type("li")
        #expect(CommandList.rows(scene.state).map(\.name) == ["light"])
        #expect(scene.text.contains("light"))
    }

    @Test("every size of the screen draws") func sizes() {
        for size in [(40, 12), (80, 24), (200, 60)] {
            var scene = Scene(size.0, size.1)
            scene.type("/")
            #expect(scene.text.contains("/"))
        }
    }
}

@Suite("rates")
struct TokenRateTests {
    @Test("few tokens have no rate") func few() {
        var rate = TokenRate()
        for time in 0..<8 { rate.count(at: Double(time) * 0.1) }
        #expect(rate.perSecond == nil)
        rate.count(at: 0.8)
        #expect(abs((rate.perSecond ?? 0) - 10) < 1e-9)
    }
}
