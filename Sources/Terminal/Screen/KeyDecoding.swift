import CNcurses

extension Key {
    /// The key of a character from the terminal.
    static func decoded(_ scalar: Unicode.Scalar, modifiers bits: UInt32) -> Key {
        let modifiers = Modifiers(rawValue: UInt8(truncatingIfNeeded: bits))
        switch scalar.value {
        case 9: return Key(.tab, modifiers)
        case 13: return Key(.enter, modifiers)
        case 27: return Key(.escape, modifiers)
        case 8, 127: return Key(.backspace, modifiers)
        case 0: return Key(.character(" "), modifiers.union(.control))
        case 1...26:
            return Key(.character(Character(Unicode.Scalar(UInt8(scalar.value) + 96))), modifiers.union(.control))
        case 28...31:
            return Key(.character(Character(Unicode.Scalar(UInt8(scalar.value) + 64))), modifiers.union(.control))
        default: return Key(.character(Character(scalar)), modifiers)
        }
    }

    /// The key of a number of `CNcurses`; nil for unused keys.
    static func decoded(_ key: fovea_key, modifiers bits: UInt32) -> Key? {
        let modifiers = Modifiers(rawValue: UInt8(truncatingIfNeeded: bits))
        if key.rawValue >= FOVEA_KEY_F1.rawValue && key.rawValue <= FOVEA_KEY_F12.rawValue {
            return Key(.function(Int(key.rawValue - FOVEA_KEY_F1.rawValue) + 1), modifiers)
        }
        if key == FOVEA_KEY_BACK_TAB { return Key(.tab, modifiers.union(.shift)) }
        return codes[key.rawValue].map { Key($0, modifiers) }
    }

    private static let codes: [UInt32: Code] = [
        FOVEA_KEY_UP.rawValue: .up, FOVEA_KEY_DOWN.rawValue: .down, FOVEA_KEY_LEFT.rawValue: .left,
        FOVEA_KEY_RIGHT.rawValue: .right,
        FOVEA_KEY_HOME.rawValue: .home, FOVEA_KEY_END.rawValue: .end, FOVEA_KEY_PAGE_UP.rawValue: .pageUp,
        FOVEA_KEY_PAGE_DOWN.rawValue: .pageDown, FOVEA_KEY_INSERT.rawValue: .insert, FOVEA_KEY_DELETE.rawValue: .delete,
        FOVEA_KEY_BACKSPACE.rawValue: .backspace, FOVEA_KEY_ENTER.rawValue: .enter,
    ]
}
