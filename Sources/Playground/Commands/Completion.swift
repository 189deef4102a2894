import Foundation

/// What Tab does: commands, their arguments, and paths.
enum Completion {
    static let soundExtensions: Set<String> = ["wav", "flac", "ogg", "oga", "opus", "mp3", "aiff", "aif", "au", "caf"]

    /// Completes at once what the state knows; a path asks the disk.
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

    /// Puts in what all candidates begin with, and lists them when there are several.
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

    /// Paths that begin with `prefix`; folders end in `/`. Reads the disk.
    static func paths(_ prefix: String, _ purpose: PathPurpose) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let start = String(prefix.dropFirst(folder.count))
        let place = folder.isEmpty ? "." : expanded(folder)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: place) else { return [] }
        return names.sorted().compactMap { name in
            guard name.hasPrefix(start), start.hasPrefix(".") || !name.hasPrefix(".") else { return nil }
            var isFolder: ObjCBool = false
            guard
                FileManager.default.fileExists(
                    atPath: (place as NSString).appendingPathComponent(name), isDirectory: &isFolder)
            else { return nil }
            if isFolder.boolValue { return folder + name + "/" }
            return purpose.fits(name) ? folder + name : nil
        }
    }

    static func isSound(_ path: String) -> Bool {
        soundExtensions.contains((path as NSString).pathExtension.lowercased())
    }

    static func expanded(_ path: String) -> String { (path as NSString).expandingTildeInPath }

    /// Terminals quote or escape the path of a file that is dropped on them.
    static func unquoted(_ text: String) -> String {
        var text = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if text.hasPrefix("file://"), let url = URL(string: text) { text = url.path }
        if text.count >= 2, let quote = text.first, quote == "'" || quote == "\"", text.last == quote {
            return String(text.dropFirst().dropLast())
        }
        return text.replacingOccurrences(of: "\\ ", with: " ")
    }

    /// The path, when the line is nothing but one of a sound file.
    static func droppedSound(_ line: String) -> String? { dropped(line, isSound) }

    /// The path, when the line is nothing but one of a picture.
    static func droppedPicture(_ line: String) -> String? { dropped(line, Pictures.isPicture) }

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
