import Foundation

/// Completion with Tab: commands, their arguments, and paths.
package enum Completion {
    static let soundExtensions: Set<String> = ["wav", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "au", "caf"]

    /// Completes from the state, or requests paths from the disk.
    static func request(_ state: inout State) -> [Effect] {
        let typed = state.input.beforeCursor
        guard typed.hasPrefix("/"), let space = typed.firstIndex(of: " ") else {
            if typed.hasPrefix("/") {
                let names = SlashCommand.all.map { "/" + $0.name + ($0.argument.isEmpty ? "" : " ") }.filter {
                    $0.hasPrefix(typed)
                }
                if !names.isEmpty {
                    apply(names, prefix: typed, to: &state.input)
                    return []
                }
            }
            return [.complete(prefix: typed, .input)]
        }
        let argument = String(typed[typed.index(after: space)...])
        guard let command = SlashCommand.named(String(typed[..<space].dropFirst())) else { return [] }
        if let purpose = command.path { return [.complete(prefix: argument, purpose)] }
        apply(command.choices(state).filter { $0.hasPrefix(argument) }, prefix: argument, to: &state.input)
        return []
    }

    /// Inserts the common prefix of the candidates and lists them if there are several.
    static func apply(_ found: [String], prefix: String, to input: inout InputLine) {
        guard let first = found.first else {
            input.candidates = []
            return
        }
        var common = first
        for candidate in found.dropFirst() { common = common.commonPrefix(with: candidate) }
        if common.count > prefix.count { input.replace(prefix.count, with: common) }
        input.candidates = found.count > 1 ? Array(found.prefix(40)).map(shortName) : []
    }

    private static func shortName(_ path: String) -> String {
        guard path.contains("/"), !path.hasSuffix(" ") else { return path.trimmingCharacters(in: .whitespaces) }
        return (path as NSString).lastPathComponent + (path.hasSuffix("/") ? "/" : "")
    }

    static func isSound(_ path: String) -> Bool {
        soundExtensions.contains((path as NSString).pathExtension.lowercased())
    }

    /// The path of a file that was dropped on the terminal, which quotes or escapes it as a shell word or as a URL.
    ///
    /// Unlike in a shell, blanks outside of quotes stay; typed paths may contain them.
    package static func unquoted(_ text: String) -> String {
        let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.hasPrefix("file://"), let url = URL(string: text) { return url.path }
        var word = "", quote: Character?, rest = text[...]
        while let character = rest.popFirst() {
            switch (quote, character) {
            case ("'", "'"), ("\"", "\""): quote = nil
            case ("'", _): word.append(character)
            case (nil, "'"), (nil, "\""): quote = character
            case (nil, "\\"): word.append(rest.popFirst() ?? character)
            case ("\"", "\\"):
                // Between double quotes a backslash escapes only these.
                if let next = rest.first, "\"\\$`".contains(next) {
                    word.append(rest.removeFirst())
                } else {
                    word.append(character)
                }
            default: word.append(character)
            }
        }
        // An unbalanced quote is part of the name.
        return quote == nil ? word : text
    }

    /// The path if the line is only the path of a sound file.
    static func droppedSound(_ line: String) -> String? { dropped(line, isSound) }

    /// The path if the line is only the path of a picture.
    static func droppedPicture(_ line: String) -> String? { dropped(line, PictureFile.isNamed) }

    private static func dropped(_ line: String, _ fits: (String) -> Bool) -> String? {
        let path = unquoted(line)
        guard fits(path), path.hasPrefix("/") || path.hasPrefix("~") || path.hasPrefix(".") || !path.contains(" ")
        else { return nil }
        if let command = line.dropFirst().split(separator: " ").first, line.hasPrefix("/"),
            SlashCommand.named(String(command)) != nil
        {
            return nil
        }
        return path
    }
}
