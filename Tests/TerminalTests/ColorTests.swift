import Testing

@testable import Terminal

@Suite("Colors")
struct ColorTests {
    @Test(
        "color maps begin, pass the middle and end where the published tables do",
        arguments: [
            ("viridis", 0x440154, 0x21918C, 0xFDE725), ("inferno", 0x000004, 0xBC3754, 0xFCFFA4),
            ("cividis", 0x00224E, 0x7D7C78, 0xFEE838),
        ] as [(String, UInt32, UInt32, UInt32)])
    func colorMaps(name: String, first: UInt32, middle: UInt32, last: UInt32) throws {
        let map = try #require(ColorMap.named(name))
        for (value, expected) in [(Float(0), first), (0.5, middle), (1, last)] {
            let color = map.color(value), wanted = Color(expected)
            let off = max(
                abs(Int(color.red) - Int(wanted.red)), abs(Int(color.green) - Int(wanted.green)),
                abs(Int(color.blue) - Int(wanted.blue)))
            #expect(off <= 3, "\(name) at \(value): \(color) instead of \(wanted)")
        }
    }

    @Test("color maps grow lighter all the way", arguments: ColorMap.all)
    func monotone(map: ColorMap) {
        let luma = (0...64).map { map.color(Float($0) / 64).luma }
        #expect(zip(luma, luma.dropFirst()).allSatisfy { $0 <= $1 + 0.004 })
    }

    @Test("values outside 0…1 and NaN are clamped") func clamps() {
        #expect(ColorMap.viridis.color(-3) == ColorMap.viridis.color(0))
        #expect(ColorMap.viridis.color(7) == ColorMap.viridis.color(1))
        #expect(ColorMap.viridis.color(.nan) == ColorMap.viridis.color(0))
        #expect(ColorMap.viridis.color(.infinity) == ColorMap.viridis.color(1))
    }

    @Test("colors come down to what the terminal has") func depths() {
        #expect(ColorDepth.direct.index(of: Color(0x123456), isBackground: false) == 0x123456)
        // 0…7 would be ANSI colors on a direct-color terminal.
        #expect(ColorDepth.direct.index(of: Color(0), isBackground: true) == 8)
        #expect(ColorDepth.palette.index(of: Color(0xFF0000), isBackground: false) == 196)
        #expect(ColorDepth.palette.index(of: Color(0x808080), isBackground: false) == 244)
        #expect(ColorDepth.palette.index(of: Color(0x5F87AF), isBackground: false) == 67)
        #expect(ColorDepth.eight.index(of: Color(0xE03030), isBackground: false) == 1)
        #expect(ColorDepth.eight.index(of: Color(0x30C0C0), isBackground: false) == 6)
        #expect(ColorDepth.eight.index(of: Color(0x808890), isBackground: false) == -1)
        for depth in ColorDepth.allCases { #expect(depth.index(of: .standard, isBackground: false) == -1) }
        #expect(ColorDepth.none.index(of: Color(0xFF0000), isBackground: false) == -1)
    }

    @Test("every palette index is the nearest color of xterm's table") func paletteIsNearest() {
        let steps = [0, 95, 135, 175, 215, 255]
        func rgb(_ index: Int) -> (Int, Int, Int) {
            if index >= 232 { let grey = 8 + 10 * (index - 232); return (grey, grey, grey) }
            let cube = index - 16
            return (steps[cube / 36], steps[cube / 6 % 6], steps[cube % 6])
        }
        func distance(_ index: Int, _ color: Color) -> Int {
            let (r, g, b) = rgb(index)
            let dr = r - Int(color.red), dg = g - Int(color.green), db = b - Int(color.blue)
            return dr * dr + dg * dg + db * db
        }
        for value in stride(from: 0, through: 0xFFFFFF, by: 104_729) {
            let color = Color(UInt32(value))
            let best = (16..<256).map { distance($0, color) }.min()!
            #expect(distance(Int(ColorDepth.paletteIndex(color)), color) == best, "\(value)")
        }
    }
}

@Suite("Pictures in cells")
struct BlitTests {
    @Test("half blocks put two pixels in a cell") func halfBlocks() {
        var raster = Raster(width: 2, height: 4)
        raster[0, 0] = Color(0xFF0000)
        raster[0, 1] = Color(0x00FF00)
        raster[1, 2] = Color(0x0000FF)
        raster[1, 3] = Color(0x0000FF)
        var canvas = Canvas(Size(4, 4))
        HalfBlockBlitter().blit(raster, onto: &canvas, at: Rect(x: 1, y: 1, width: 2, height: 2))
        #expect(canvas[1, 1] == Cell(Glyph("▀"), Style(Color(0xFF0000), on: Color(0x00FF00))))
        #expect(canvas[2, 2] == Cell(.space, Style(.standard, on: Color(0x0000FF))))
        #expect(canvas[0, 0] == .blank && canvas[3, 3] == .blank)
    }

    @Test("shades are denser the brighter the pixel") func shades() {
        var raster = Raster(width: 3, height: 1)
        raster[1, 0] = Color(0x808080)
        raster[2, 0] = Color(0xFFFFFF)
        var canvas = Canvas(Size(3, 1))
        ShadeBlitter().blit(raster, onto: &canvas, at: Rect(Size(3, 1)))
        #expect(canvas.text(row: 0) == "  +@".dropFirst())
    }

    @Test("bars rise by eighths") func bars() {
        #expect(Bars.upright(0.5, row: 0, of: 1, ascii: false).text == "▄")
        #expect(Bars.upright(0.75, row: 0, of: 2, ascii: false).text == "█")
        #expect(Bars.upright(0.75, row: 1, of: 2, ascii: false).text == "▄")
        #expect(Bars.lying(0.25, column: 0, of: 2, ascii: false).text == "▌")
        #expect(Bars.lying(2, column: 1, of: 2, ascii: false).text == "█")
        #expect(Bars.upright(.nan, row: 0, of: 1, ascii: false) == .space)
        #expect(Bars.upright(0.9, row: 0, of: 1, ascii: true).text == "#")
    }
}

@Suite("Choice of the terminal")
struct TerminalChoiceTests {
    private func choice(_ environment: [String: String], ascii: Bool = false) throws -> TerminalChoice {
        try TerminalChoice(environment: environment, hasUTF8: true, ascii: ascii)
    }

    @Test("truecolor prefers the direct-color entry") func direct() throws {
        #expect(
            try choice(["TERM": "xterm-256color", "COLORTERM": "truecolor"]).candidates == [
                "xterm-direct", "xterm-256color",
            ])
        #expect(
            try choice(["TERM": "tmux-256color", "COLORTERM": "24bit"]).candidates == ["tmux-direct", "tmux-256color"])
        #expect(
            try choice(["TERM": "xterm-kitty", "COLORTERM": "truecolor"]).candidates == [
                "xterm-kitty-direct", "kitty-direct", "xterm-kitty",
            ])
        #expect(try choice(["TERM": "xterm-256color"]).candidates == ["xterm-256color"])
    }

    @Test("NO_COLOR and --ascii limit colors and glyphs") func limits() throws {
        let plain = try choice(["TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"])
        #expect(plain.candidates == ["xterm-256color"])
        #expect(plain.depth(colors: 256) == .none)
        #expect(try choice(["TERM": "xterm", "NO_COLOR": ""]).limit == .direct)
        let ascii = try choice(["TERM": "xterm-256color"], ascii: true)
        #expect(!ascii.unicode && ascii.depth(colors: 256) == .eight)
    }

    @Test("depth follows the number of colors") func depth() throws {
        let choice = try choice(["TERM": "xterm"])
        #expect(choice.depth(colors: 0x1000000) == .direct)
        #expect(choice.depth(colors: 256) == .palette)
        #expect(choice.depth(colors: 8) == .eight)
        #expect(choice.depth(colors: 0) == .none)
    }

    @Test("a terminal that cannot place the cursor is refused", arguments: ["dumb", "", "unknown"]) func dumb(
        term: String
    ) {
        #expect(throws: TerminalError.unusable(term: term)) { try choice(["TERM": term]) }
    }

    @Test("without a terminal the screen says so and changes nothing") func notATerminal() {
        // Under the test runner standard output is a pipe; where it is a terminal, TERM=dumb is refused all the same.
        #expect(throws: TerminalError.self) { try NcursesScreen(environment: ["TERM": "dumb"]).start { _ in } }
    }
}

@Suite("Keys")
struct KeyTests {
    @Test("characters become keys") func decoding() {
        #expect(Key.decoded("a", modifiers: 0) == .character("a"))
        #expect(Key.decoded("\u{03}", modifiers: 0) == .control("c"))
        #expect(Key.decoded("\u{0A}", modifiers: 0) == .control("j"))
        #expect(Key.decoded("\r", modifiers: 0) == Key(.enter))
        #expect(Key.decoded("\u{7F}", modifiers: 2) == Key(.backspace, .alt))
        #expect(Key.decoded("f", modifiers: 2) == .alt("f"))
        #expect(Key.decoded("\u{1B}", modifiers: 0) == Key(.escape))
    }

    @Test("keys have names people know") func names() {
        #expect(Key.control("c").description == "Ctrl-C")
        #expect(Key(.left, .alt).description == "Alt-←")
        #expect(Key(.pageUp).description == "PgUp")
        #expect(Key(.function(1)).description == "F1")
    }
}
