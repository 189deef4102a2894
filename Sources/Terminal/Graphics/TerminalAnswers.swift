/// A terminal's answers to the questions about graphics and its background.
struct TerminalAnswers: Hashable {
    var graphics: GraphicsProtocol?
    /// Pixels of a cell.
    var cell: Size?
    var background: Color?
    /// The last question was answered.
    var isComplete = false
    /// Bytes that are no answer: keys pressed meanwhile.
    var typed: [UInt8] = []

    /// A query of kitty's graphics with one pixel; the background's color; the size of a cell in pixels; and last the primary
    /// attributes, which every terminal answers, and where 4 means sixels.
    static let questions = "\u{1B}]11;?\u{1B}\\\u{1B}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1B}\\\u{1B}[16t\u{1B}[c"

    init(_ bytes: [UInt8]) {
        var place = 0
        func from(_ start: Int, _ isLast: (UInt8) -> Bool) -> Int? { bytes[start...].firstIndex(where: isLast) }
        while place < bytes.count {
            guard bytes[place] == 0x1B, place + 1 < bytes.count else {
                typed.append(bytes[place])
                place += 1
                continue
            }
            switch bytes[place + 1] {
            case UInt8(ascii: "_"):
                guard let end = from(place + 2, { $0 == 0x1B }), end + 1 < bytes.count else { break }
                if String(decoding: bytes[place + 2..<end], as: UTF8.self).hasSuffix(";OK") { graphics = .kitty }
                place = end + 2
                continue
            case UInt8(ascii: "]"):
                // Ends with BEL or with ESC \.
                guard let end = from(place + 2, { $0 == 0x07 || $0 == 0x1B }),
                    bytes[end] == 0x07 || end + 1 < bytes.count
                else { break }
                background = Self.color(String(decoding: bytes[place + 2..<end], as: UTF8.self)) ?? background
                place = end + (bytes[end] == 0x07 ? 1 : 2)
                continue
            case UInt8(ascii: "["):
                // Parameters, then a final byte from @ on.
                guard let end = from(place + 2, { $0 >= 0x40 }) else { break }
                let text = String(decoding: bytes[place + 2..<end], as: UTF8.self)
                let numbers = text.drop { $0 == "?" }.split(separator: ";").map { Int($0) ?? 0 }
                if bytes[end] == UInt8(ascii: "c"), text.hasPrefix("?") {
                    isComplete = true
                    if graphics == nil, numbers.dropFirst().contains(4) { graphics = .sixel }
                    place = end + 1
                    continue
                }
                if bytes[end] == UInt8(ascii: "t"), numbers.count == 3, numbers[0] == 6 {
                    let size = Size(numbers[2], numbers[1])
                    if (2...200).contains(size.width), (4...400).contains(size.height) { cell = size }
                    place = end + 1
                    continue
                }
            default: break
            }
            typed.append(bytes[place])
            place += 1
        }
    }

    /// The color of `11;rgb:RRRR/GGGG/BBBB`, each of one to four hexadecimal digits (xterm, OSC 11).
    private static func color(_ answer: String) -> Color? {
        guard answer.hasPrefix("11;rgb:") else { return nil }
        let channels = answer.dropFirst(7).split(separator: "/").map { digits -> UInt8? in
            guard (1...4).contains(digits.count), let value = Int(digits, radix: 16), value >= 0 else { return nil }
            return UInt8(value * 255 / ((1 << (4 * digits.count)) - 1))
        }
        guard channels.count == 3, let red = channels[0], let green = channels[1], let blue = channels[2] else {
            return nil
        }
        return Color(red: red, green: green, blue: blue)
    }
}
