/// Text from files, networks and models on its way to a terminal: it must not move the cursor, change colors or turn
/// the direction of writing.
enum HarmlessText {
    /// One line: line breaks become spaces, other control characters are spelled out.
    static func line(_ text: String) -> String { filtered(text, keepingLineBreaks: false) }

    /// Running text: line breaks and tabs stay.
    static func text(_ text: String) -> String { filtered(text, keepingLineBreaks: true) }

    private static func filtered(_ text: String, keepingLineBreaks: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar == "\n" || scalar == "\t" {
                result.append(keepingLineBreaks ? scalar : " ")
            } else if isHarmful(scalar) {
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static func isHarmful(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        // Directional marks reorder what stands beside them. The joiners are needed in many scripts and in emoji.
        case .format: scalar.value != 0x200C && scalar.value != 0x200D
        default: false
        }
    }
}
