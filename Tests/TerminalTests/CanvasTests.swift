import Testing

@testable import Terminal

@Suite("Canvas")
struct CanvasTests {
    @Test("text lands where it is drawn and returns the next column")
    func draws() {
        var canvas = Canvas(Size(10, 2))
        #expect(canvas.draw("abc", x: 2, y: 1) == 5)
        #expect(canvas.text == "\n  abc")
    }

    @Test("nothing is drawn outside of the canvas or the clip rectangle")
    func clips() {
        var canvas = Canvas(Size(6, 3))
        canvas.draw("abcdefgh", x: -2, y: 1)
        #expect(canvas.text(row: 1) == "cdefgh")
        canvas.draw("xxxxxx", x: 0, y: 2, in: Rect(x: 2, y: 0, width: 2, height: 3))
        #expect(canvas.text(row: 2) == "  xx")
        canvas.draw("no", x: 0, y: 3)
        canvas.draw("no", x: 0, y: -1)
        #expect(canvas.text(row: 0) == "")
        canvas[99, 99] = Cell(Glyph("x"))
        #expect(canvas[99, 99] == .blank)
    }

    @Test("a wide glyph takes two cells and is never cut in half")
    func wideGlyphs() {
        var canvas = Canvas(Size(5, 1))
        canvas.draw("日本語", x: 0, y: 0)
        #expect(canvas.text(row: 0) == "日本")
        #expect(canvas[1, 0].isContinuation && canvas[3, 0].isContinuation)
        // Overwriting the right half clears the left one.
        canvas.draw("x", x: 1, y: 0)
        #expect(canvas.text(row: 0) == " x本")
        // Overwriting the left half clears the right one.
        canvas.draw("y", x: 2, y: 0)
        #expect(canvas.text(row: 0) == " xy")
        #expect(!canvas[3, 0].isContinuation)
        // A wide glyph over the right half of another.
        var other = Canvas(Size(5, 1))
        other.draw("日本", x: 0, y: 0)
        other.draw("語", x: 1, y: 0)
        #expect(other.text(row: 0) == " 語")
        #expect(!other[3, 0].isContinuation)
    }

    @Test("the cursor is part of the picture")
    func cursor() {
        var canvas = Canvas(Size(4, 4))
        let before = canvas
        canvas.cursor = (1, 2)
        #expect(canvas != before)
        #expect(canvas.cursor?.x == 1 && canvas.cursor?.y == 2)
        canvas.cursor = nil
        #expect(canvas == before)
    }

    @Test(
        "long text is cut with an ellipsis at a whole glyph",
        arguments: [("hello", 5, "hello"), ("hello", 4, "hel…"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"), ("x", 0, "")])
    func fits(text: String, width: Int, expected: String) {
        #expect(fitted(text, width: width) == expected)
        #expect(TextWidth.width(of: fitted(text, width: width)) <= width)
    }

    @Test("rectangles intersect, shrink and never have negative sides")
    func rectangles() {
        let rect = Rect(x: 1, y: 1, width: 4, height: 3)
        #expect(rect.intersection(Rect(x: 3, y: 2, width: 9, height: 9)) == Rect(x: 3, y: 2, width: 2, height: 2))
        #expect(rect.intersection(Rect(x: 9, y: 9, width: 1, height: 1)).isEmpty)
        #expect(rect.inset(left: 3, right: 3).width == 0)
        #expect(rect.row(3).isEmpty && !rect.row(2).isEmpty)
    }
}

@Suite("Widths of text")
struct WidthTests {
    @Test(
        "columns of text",
        arguments: [
            ("plain", 5), ("größe", 5), ("日本語", 6), ("한국어", 6), ("e\u{301}", 1), ("👍", 2), ("👍🏽", 2), ("👩‍👩‍👧", 2),
            ("❤\u{FE0F}", 1), ("a\tb", 2), ("", 0), ("ｆｕｌｌ", 8),
            ("🇩🇪", 2),
        ])
    func widths(text: String, width: Int) {
        #expect(TextWidth.hasUTF8)
        #expect(TextWidth.width(of: text) == width)
        #expect(TextWidth.glyphs(of: text).reduce(0) { $0 + $1.width } == width)
    }

    @Test("combining marks stay with their letter, two at most")
    func marks() {
        let glyphs = TextWidth.glyphs(of: "a\u{301}\u{302}\u{303}b")
        #expect(glyphs.count == 2)
        #expect(glyphs[0].glyph.scalars == [0x61, 0x301, 0x302])
        // A mark without a letter before it has no place.
        #expect(TextWidth.glyphs(of: "\u{301}a").map(\.glyph.text) == ["a"])
    }

    @Test(
        "ASCII stands in for what a plain terminal cannot draw",
        arguments: [("─", "-"), ("│", "|"), ("█", "#"), ("é", "e"), ("…", "."), ("日", "?"), ("q", "q")])
    func ascii(glyph: String, expected: String) {
        #expect(Glyph(glyph.unicodeScalars.first!).ascii.text == expected)
    }
}
