/// A key as the person pressed it.
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

    /// As help screens write it: `Ctrl-C`, `Alt-←`, `PgUp`.
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

/// What comes from the terminal.
package enum InputEvent: Hashable, Sendable {
    package enum MouseAction: Hashable, Sendable { case press, release, scrollUp, scrollDown }

    case key(Key)
    case paste(String)
    case mouse(MouseAction, x: Int, y: Int)
    case resized(Size)
    /// A signal asks the program to end (SIGTERM, SIGHUP, SIGINT from outside), or the terminal is gone (SIGHUP).
    case terminate(signal: Int32)
}
