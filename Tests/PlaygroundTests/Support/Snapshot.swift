import Foundation
import Terminal
import Testing

/// Compares a canvas with the file of that name in `Snapshots`: the text of each row, and a digest of its colors.
/// `FOVEA_UPDATE_SNAPSHOTS=1 swift test --filter PlaygroundTests` writes the files anew; `FOVEA_SCREENS=FOLDER` writes each
/// screen as a terminal would be sent it, for `assets/screenshot/ansi2png.py`.
func expectSnapshot(_ canvas: Canvas, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Snapshots/\(name).txt")
    let actual = describe(canvas)
    if let folder = ProcessInfo.processInfo.environment["FOVEA_SCREENS"] {
        try ansi(canvas).write(toFile: folder + "/" + name + ".ansi", atomically: true, encoding: .utf8)
    }
    if ProcessInfo.processInfo.environment["FOVEA_UPDATE_SNAPSHOTS"] == "1" {
        try actual.write(to: file, atomically: true, encoding: .utf8)
        return
    }
    let expected = try String(contentsOf: file, encoding: .utf8)
    guard actual != expected else { return }
    let pairs = zip(
        actual.split(separator: "\n", omittingEmptySubsequences: false),
        expected.split(separator: "\n", omittingEmptySubsequences: false))
    let differences = pairs.enumerated().filter { $1.0 != $1.1 }.prefix(6).map {
        "row \($0): \($1.0)\n    was: \($1.1)"
    }
    Issue.record("\(name) looks different:\n\(differences.joined(separator: "\n"))", sourceLocation: sourceLocation)
}

/// Rows as `digest│text`. The digest takes four bits per channel, so that another C library's `exp` does not change it.
private func describe(_ canvas: Canvas) -> String {
    var lines = [
        "\(canvas.size.width)×\(canvas.size.height) cursor \(canvas.cursor.map { "\($0.x),\($0.y)" } ?? "hidden")"
    ]
    for y in 0..<canvas.size.height {
        var hash: UInt32 = 2_166_136_261
        func mix(_ value: UInt32) { hash = (hash ^ value) &* 16_777_619 }
        for x in 0..<canvas.size.width {
            let style = canvas[x, y].style
            for color in [style.foreground, style.background] { mix(color.rgb.map { $0 & 0xF0F0F0 } ?? 0xFF_FFFF_FF) }
            mix(UInt32(style.attributes.rawValue))
        }
        let digest = String(hash, radix: 16)
        lines.append(String(repeating: "0", count: 8 - digest.count) + digest + "│" + canvas.text(row: y))
    }
    return lines.joined(separator: "\n") + "\n"
}

private func ansi(_ canvas: Canvas) -> String {
    func color(_ color: Color, _ number: Int) -> String {
        guard color.rgb != nil else { return ";\(number + 1)" }
        return ";\(number);2;\(color.red);\(color.green);\(color.blue)"
    }
    return (0..<canvas.size.height).map { y in
        (0..<canvas.size.width).filter { !canvas[$0, y].isContinuation }.map { x in
            let style = canvas[x, y].style
            let attributes = [(Attributes.bold, ";1"), (.underline, ";4"), (.reverse, ";7")].map {
                style.attributes.contains($0.0) ? $0.1 : ""
            }.joined()
            return
                "\u{1B}[0\(color(style.foreground, 38))\(color(style.background, 48))\(attributes)m\(canvas[x, y].glyph.text)"
        }.joined()
    }.joined(separator: "\n") + "\n"
}
