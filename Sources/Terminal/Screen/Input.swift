import Support

/// A key with its modifiers.
package struct Key: Hashable, Sendable {
    package enum Code: Hashable, Sendable {
        case character(Character)
        case up, down, left, right, home, end, pageUp, pageDown, insert, delete, backspace, enter, tab, escape
        case function(Int)
    }

    package struct Modifiers: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let shift = Modifiers(rawValue: 1)
        package static let alt = Modifiers(rawValue: 2)
        package static let control = Modifiers(rawValue: 4)
    }

    package var code: Code
    package var modifiers: Modifiers

    package init(_ code: Code, _ modifiers: Modifiers = []) {
        self.code = code
        self.modifiers = modifiers
    }

    package static func character(_ character: Character) -> Key { Key(.character(character)) }
    /// Control with a letter, e.g. `.control("c")`.
    package static func control(_ letter: Character) -> Key { Key(.character(letter), .control) }
    package static func alt(_ letter: Character) -> Key { Key(.character(letter), .alt) }

    /// The name on help screens: `Ctrl-C`, `Alt-←`, `PgUp`.
    package var description: String {
        var text = ""
        if modifiers.contains(.control) { text += "Ctrl-" }
        if modifiers.contains(.alt) { text += "Alt-" }
        if modifiers.contains(.shift) { text += "Shift-" }
        switch code {
        case .character(" "): text += "Space"
        case .character(let character):
            text += modifiers.contains(.control) ? String(character).uppercased() : String(character)
        case .up: text += "↑"
        case .down: text += "↓"
        case .left: text += "←"
        case .right: text += "→"
        case .home: text += "Home"
        case .end: text += "End"
        case .pageUp: text += "PgUp"
        case .pageDown: text += "PgDn"
        case .insert: text += "Ins"
        case .delete: text += "Del"
        case .backspace: text += "Backspace"
        case .enter: text += "Enter"
        case .tab: text += "Tab"
        case .escape: text += "Esc"
        case .function(let number): text += "F\(number)"
        }
        return text
    }
}

extension Key: Codable {
    private enum CodingKeys: CodingKey { case code, modifiers }

    private static let names: [(String, Code)] = [
        ("up", .up), ("down", .down), ("left", .left), ("right", .right), ("home", .home), ("end", .end),
        ("pageUp", .pageUp), ("pageDown", .pageDown), ("insert", .insert), ("delete", .delete),
        ("backspace", .backspace), ("enter", .enter), ("tab", .tab), ("escape", .escape),
    ]

    /// Reads the code as `'x` for a character, `F1` for a function key, or the name of another key.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let text = try container.decode(String.self, forKey: .code)
        modifiers = Modifiers(rawValue: try container.decode(UInt8.self, forKey: .modifiers) & 7)
        if text.hasPrefix("'"), text.count == 2, let character = text.last {
            code = .character(character)
        } else if text.hasPrefix("F"), let number = Int(text.dropFirst()), (1...24).contains(number) {
            code = .function(number)
        } else if let known = Self.names.first(where: { $0.0 == text }) {
            code = known.1
        } else {
            throw DecodingError.dataCorruptedError(
                forKey: .code, in: container, debugDescription: "a key “\(Sanitizer.cells.line(text))”")
        }
    }

    package func encode(to encoder: any Encoder) throws {
        let text =
            switch code {
            case .character(let character): "'\(character)"
            case .function(let number): "F\(number)"
            default: Self.names.first { $0.1 == code }?.0 ?? "escape"
            }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(text, forKey: .code)
        try container.encode(modifiers.rawValue, forKey: .modifiers)
    }
}

/// An event of the terminal.
package enum InputEvent: Hashable, Sendable, Codable {
    package enum MouseAction: String, Hashable, Sendable, Codable { case press, release, scrollUp, scrollDown }

    case key(Key)
    case paste(String)
    case mouse(MouseAction, x: Int, y: Int)
    case resized(Size)
    /// A signal asks the program to end (SIGTERM, SIGHUP, SIGINT), or the terminal is gone (SIGHUP).
    case terminate(signal: Int32)
}
