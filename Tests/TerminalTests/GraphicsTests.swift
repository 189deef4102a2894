import Foundation
import Testing

@testable import Terminal

/// Pixels for terminals: what is sent is read back by decoders of its own.
@Suite("Graphics") struct GraphicsTests {
    /// A picture with smooth colors, edges and a flat part, of a size that is no multiple of a sixel band.
    private static let raster: Raster = {
        var raster = Raster(width: 37, height: 29)
        for y in 0..<29 {
            for x in 0..<37 {
                raster[x, y] =
                    x > 30 ? Color(0xFF0000) : Color(red: UInt8(x * 6), green: UInt8(y * 8), blue: UInt8((x * y) % 256))
            }
        }
        return raster
    }()

    /// Reads sixels as a terminal would: registers in percent, bands of six rows.
    private static func decodeSixels(_ bytes: [UInt8]) throws -> Raster {
        let text = String(decoding: bytes, as: UTF8.self)
        try #require(text.hasPrefix("\u{1B}P0;1;0q\"1;1;") && text.hasSuffix("\u{1B}\\"))
        var rest = Array(text.dropFirst("\u{1B}P0;1;0q\"1;1;".count).dropLast(2).utf8)[...]
        func number() -> Int {
            var value = 0
            while let byte = rest.first, (48...57).contains(byte) {
                value = value * 10 + Int(byte - 48)
                rest.removeFirst()
            }
            return value
        }
        let width = number()
        rest.removeFirst()
        var raster = Raster(width: width, height: number(), fill: Color(0x123456))
        var registers: [Int: Color] = [:]
        var (register, x, band) = (0, 0, 0)
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "#"):
                register = number()
                if rest.first == UInt8(ascii: ";") {
                    rest.removeFirst()
                    #expect(number() == 2)
                    let channels = (0..<3).map { _ in
                        rest.removeFirst()
                        return number()
                    }
                    registers[register] = Color(
                        red: UInt8(channels[0] * 255 / 100), green: UInt8(channels[1] * 255 / 100),
                        blue: UInt8(channels[2] * 255 / 100))
                }
            case UInt8(ascii: "$"): x = 0
            case UInt8(ascii: "-"): (x, band) = (0, band + 1)
            case UInt8(ascii: "!"), 63...126:
                let count = byte == UInt8(ascii: "!") ? number() : 1
                let character = byte == UInt8(ascii: "!") ? rest.popFirst() : byte
                let bits = try #require(character) - 63
                for _ in 0..<count {
                    for row in 0..<6 where bits >> row & 1 == 1 {
                        raster[x, band * 6 + row] = try #require(registers[register])
                    }
                    x += 1
                }
            default: Issue.record("an unexpected byte \(byte)")
            }
        }
        return raster
    }

    @Test("sixels say every pixel, near its color, and on the whole the color itself") func sixels() throws {
        let decoded = try Self.decodeSixels(SixelEncoder.encode(Self.raster))
        #expect(decoded.width == 37 && decoded.height == 29)
        var (worst, sum) = (0, 0)
        for (pixel, expected) in zip(decoded.pixels, Self.raster.pixels) {
            for (a, b) in [(pixel.red, expected.red), (pixel.green, expected.green), (pixel.blue, expected.blue)] {
                worst = max(worst, abs(Int(a) - Int(b)))
                sum += abs(Int(a) - Int(b))
            }
        }
        // A thousand colors, spread over the whole cube, have to do with 240.
        #expect(worst <= 40 && sum < 37 * 29 * 3 * 7, "\(worst), \(sum)")
        // What is most of a picture is exact, but for percents.
        for y in 0..<29 { #expect(decoded[33, y] == Color(0xFF0000)) }
        let empty = SixelEncoder.encode(Raster(width: 0, height: 0))
        #expect(String(decoding: empty, as: UTF8.self) == "\u{1B}P0;1;0q\"1;1;0;0\u{1B}\\")
    }

    @Test("kitty's chunks give the pixels back, none too long, the last one marked") func kitty() throws {
        var raster = Raster(width: 80, height: 60)
        for index in raster.pixels.indices { raster.pixels[index] = Color(UInt32(index * 7919)) }
        let text = String(
            decoding: KittyEncoder.encode(raster, number: 3, over: Rect(x: 2, y: 4, width: 20, height: 10)),
            as: UTF8.self)
        var pixels = Data()
        var isLast = false
        for command in text.components(separatedBy: "\u{1B}\\").dropLast() {
            #expect(command.hasPrefix("\u{1B}_G") && !isLast)
            let parts = command.dropFirst(3).split(separator: ";", maxSplits: 1)
            #expect(parts[1].count <= 4096)
            if pixels.isEmpty { #expect(parts[0] == "a=T,f=24,t=d,i=3,p=1,s=80,v=60,c=20,r=10,C=1,q=2,m=1") }
            isLast = parts[0].hasSuffix("m=0")
            pixels += try #require(Data(base64Encoded: String(parts[1])))
        }
        #expect(isLast)
        #expect(Array(pixels) == raster.pixels.flatMap { [$0.red, $0.green, $0.blue] })
    }

    @Test(
        "what terminals answer",
        arguments: [
            // xterm with sixels, with a cell's size; tmux without; kitty; a terminal that refuses; keys between answers.
            ("\u{1B}[6;18;9t\u{1B}[?64;1;2;4;6;9;15;22c", GraphicsProtocol.sixel, Size(9, 18), true, ""),
            ("\u{1B}[?1;2c", nil, nil, true, ""),
            ("\u{1B}_Gi=31;OK\u{1B}\\\u{1B}[6;20;10t\u{1B}[?62;c", .kitty, Size(10, 20), true, ""),
            ("\u{1B}_Gi=31;ENOTSUPPORTED:no\u{1B}\\\u{1B}[?64;4c", .sixel, nil, true, ""),
            ("h\u{1B}[?62;4ci\u{1B}[A", .sixel, nil, true, "hi\u{1B}[A"),
            ("\u{1B}[6;0;0t\u{1B}[?6c", nil, nil, true, ""),
            ("\u{1B}[?64;1;4", nil, nil, false, "\u{1B}[?64;1;4"),
            ("\u{1B}_Gi=31", nil, nil, false, "\u{1B}_Gi=31"),
            ("", nil, nil, false, ""),
        ] as [(String, GraphicsProtocol?, Size?, Bool, String)])
    func answers(_ bytes: String, _ graphics: GraphicsProtocol?, _ cell: Size?, _ isComplete: Bool, _ typed: String) {
        let answers = TerminalAnswers(Array(bytes.utf8))
        #expect(answers.graphics == graphics && answers.cell == cell && answers.isComplete == isComplete)
        #expect(String(decoding: answers.typed, as: UTF8.self) == typed)
    }

    @Test(
        "the background's color",
        arguments: [
            ("\u{1B}]11;rgb:1e1e/1e1e/1e1e\u{7}\u{1B}[?1;2c", Color(0x1E1E1E), ""),
            ("\u{1B}]11;rgb:ff/F0/80\u{1B}\\\u{1B}[?1;2c", Color(0xFFF080), ""),
            ("a\u{1B}]11;rgb:f/0/8\u{1B}\\b\u{1B}[?1;2c", Color(0xFF0088), "ab"),
            ("\u{1B}]11;rgb:12345/0/0\u{7}\u{1B}[?1;2c", nil, ""),
            ("\u{1B}]11;rgb:-1/0/0\u{7}\u{1B}[?1;2c", nil, ""),
            ("\u{1B}]11;red\u{7}\u{1B}[?1;2c", nil, ""),
        ] as [(String, Color?, String)])
    func background(_ bytes: String, _ color: Color?, _ typed: String) {
        let answers = TerminalAnswers(Array(bytes.utf8))
        #expect(answers.background == color && answers.isComplete)
        #expect(String(decoding: answers.typed, as: UTF8.self) == typed)
    }

    @Test(
        "the background by COLORFGBG", arguments: [("15;0", 0x000000), ("0;15", 0xFFFFFF), ("0;default;7", 0xFFFFFF)])
    func environmentBackground(_ value: String, _ rgb: UInt32) throws {
        let choice = try TerminalChoice(
            environment: ["TERM": "xterm", "COLORFGBG": value], hasUTF8: true, ascii: false)
        #expect(choice.background == Color(rgb))
        #expect(try TerminalChoice(environment: ["TERM": "xterm"], hasUTF8: true, ascii: false).background == nil)
    }

    @Test("brightness changes, the hue stays") func brightness() {
        for color in [Color(0xE5A84B), Color(0x3060C0), Color(0x000000), Color(0xFFFFFF)] {
            for target in [0, 0.2, 0.5, 0.9, 1] { #expect(abs(color.with(luma: target).luma - target) < 0.02) }
        }
    }

    @Test("a picture leaves blank cells beneath it, and lies within the canvas or nowhere") func placing() {
        var canvas = Canvas(Size(20, 10))
        canvas.fill(canvas.bounds, Glyph("x"))
        canvas.place(Self.raster, over: Rect(x: 2, y: 3, width: 5, height: 4))
        #expect(
            canvas.pictures.count == 1 && canvas[2, 3] == .blank && canvas[6, 6] == .blank
                && canvas[7, 6].glyph == Glyph("x"))
        canvas.place(Self.raster, over: Rect(x: 18, y: 3, width: 5, height: 4))
        canvas.place(Self.raster, over: Rect(x: 1, y: 1, width: 0, height: 4))
        #expect(canvas.pictures.count == 1)
        let scaled = Self.raster.scaled(to: Size(74, 58))
        #expect(
            scaled[0, 0] == Self.raster[0, 0] && scaled[73, 57] == Self.raster[36, 28]
                && scaled[20, 30] == Self.raster[10, 15])
    }

    @Test("who is asked") func asking() throws {
        func asks(_ environment: [String: String], utf8: Bool = true, ascii: Bool = false) throws -> Bool {
            try TerminalChoice(environment: environment, hasUTF8: utf8, ascii: ascii).asksForGraphics
        }
        #expect(
            try asks(["TERM": "xterm-256color"]) && asks(["TERM": "tmux-256color"]) && asks(["TERM": "xterm-kitty"]))
        #expect(try !asks(["TERM": "linux"]) && !asks(["TERM": "vt220"]) && !asks(["TERM": "xterm", "NO_COLOR": "1"]))
        #expect(try !asks(["TERM": "xterm-256color"], utf8: false) && !asks(["TERM": "xterm-256color"], ascii: true))
    }
}
