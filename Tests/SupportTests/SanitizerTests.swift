import Support
import Testing

@Suite("Untrusted text")
struct SanitizerTests {
    @Test(
        "escape sequences vanish, control characters become pictures",
        arguments: [
            ("plain\ntext", "plain\ntext"), ("\u{1B}[31mred\u{1B}[0m", "red"), ("\u{1B}]0;title\u{07}x", "x"),
            ("\u{1B}]8;;http://e\u{1B}\\link", "link"),
            ("\u{9B}2Jx", "x"), ("\u{1B}(Bx", "x"), ("\u{1B}cx", "x"), ("\u{1B}P1$q\u{1B}\\x", "x"),
            ("a\u{07}b", "a␇b"), ("a\u{00}b", "a␀b"), ("a\u{7F}b", "a␡b"),
            ("a\r\nb", "a\nb"), ("a\rb", "a\nb"), ("a\tb", "a    b"), ("\u{1B}", "␛"), ("x\u{1B}[", "x"),
            ("x\u{1B}]never ends", "x"), ("x\u{1B}]open\nnext", "x\nnext"),
            ("\u{202E}evil", "\\u{202e}evil"), ("zero\u{200B}width", "zero\\u{200b}width"), ("日本 👩‍👧", "日本 👩‍👧"),
            ("\u{85}", "\u{FFFD}"), ("\u{E0041}", "\\u{e0041}"),
        ])
    func sanitizes(untrusted: String, expected: String) {
        #expect(Sanitizer.cells.text(untrusted) == expected)
    }

    @Test("no control character is left, whatever goes in")
    func nothingLeft() {
        var seed: UInt64 = 42
        for _ in 0..<2000 {
            var view = String.UnicodeScalarView()
            for _ in 0..<12 {
                seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let interesting: [UInt32] = [
                    0x1B, 0x5B, 0x5D, 0x9B, 0x07, 0x6D, 0x31, 0x3B, 0x50, 0x5C, 0x0A, 0x0D, 0x41, 0x9C, 0x00, 0x7F,
                    0x28, 0x202E,
                ]
                view.append(Unicode.Scalar(interesting[Int(seed >> 33) % interesting.count])!)
            }
            let clean = Sanitizer.cells.text(String(view))
            #expect(
                clean.unicodeScalars.allSatisfy {
                    $0.value == 0x0A || ($0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) && $0.value != 0x202E)
                })
        }
    }

    @Test("one line stays one line") func oneLine() { #expect(Sanitizer.cells.line("a\nb") == "a⏎b") }

    @Test(
        "in a stream control characters are spelled out; tabs and line feeds stay",
        arguments: [
            ("plain\n\ttext", "plain\n\ttext"), ("\u{1B}[31mred", "\\u{1b}[31mred"), ("a\r\nb", "a\\u{d}\nb"),
            ("\u{9B}2J", "\\u{9b}2J"), ("\u{202E}evil", "\\u{202e}evil"), ("zero\u{200B}width", "zero\\u{200b}width"),
            ("日本 👩‍👧", "日本 👩‍👧"), ("\u{2028}", "\\u{2028}"), ("\u{E000}", "\u{E000}"), ("\u{600}", "\u{600}"),
        ])
    func stream(untrusted: String, expected: String) {
        #expect(Sanitizer.stream.text(untrusted) == expected)
    }

    @Test("one line of a stream has blanks for tabs and line feeds") func streamLine() {
        #expect(Sanitizer.stream.line("a\n\tb") == "a  b")
    }
}
