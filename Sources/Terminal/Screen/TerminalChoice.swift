/// The terminfo entry and the number of colors for an environment.
struct TerminalChoice: Hashable {
    /// Entries to try, the best first.
    var candidates: [String]
    /// The largest color depth to use.
    var limit: ColorDepth
    var unicode: Bool
    var quarterBlocks: Bool
    /// Wraps each frame in marks of synchronized output (DEC mode 2026), which other terminals ignore.
    var synchronized: Bool
    /// Asks the terminal for graphics; false without colors, and for terminals that would print the question.
    var asksForGraphics: Bool
    /// The background by COLORFGBG, for terminals that answer no question about it.
    var background: Color?

    init(environment: [String: String], hasUTF8: Bool, ascii: Bool) throws {
        let term = environment["TERM"] ?? ""
        if term.isEmpty || term == "dumb" || term == "unknown" { throw TerminalError.unusable(term: term) }
        // https://no-color.org: any value but the empty one.
        let noColor = !(environment["NO_COLOR"] ?? "").isEmpty
        let trueColor = ["truecolor", "24bit"].contains((environment["COLORTERM"] ?? "").lowercased())
        candidates = (trueColor && !noColor ? Self.directEntries(for: term) : []) + [term]
        limit = noColor ? .none : ascii ? .eight : .direct
        unicode = hasUTF8 && !ascii
        quarterBlocks = unicode && term != "linux" && !term.hasPrefix("vt")
        synchronized = term != "linux" && !term.hasPrefix("vt")
        asksForGraphics = synchronized && unicode && !noColor
        // "foreground;background" as numbers of ANSI colors (rxvt, Konsole); 7 and from 9 on are light ones.
        if let number = (environment["COLORFGBG"] ?? "").split(separator: ";").last.flatMap({ Int($0) }) {
            background = number == 7 || (9...15).contains(number) ? Color(0xFFFFFF) : Color(0x000000)
        }
    }

    /// The direct-color entries that may exist for `term`: `xterm-256color` → `xterm-direct`, `xterm-kitty` → `kitty-direct`.
    static func directEntries(for term: String) -> [String] {
        if term.hasSuffix("-direct") { return [term] }
        var base = term
        for suffix in ["-256color", "-color", "-16color", "-88color"] where base.hasSuffix(suffix) {
            base.removeLast(suffix.count)
        }
        var entries = [base + "-direct"]
        if base.hasPrefix("xterm-") { entries.append(base.dropFirst(6) + "-direct") }
        return entries
    }

    /// The color depth for a terminal that reports `colors`.
    func depth(colors: Int) -> ColorDepth {
        if limit == .none || colors < 8 { return .none }
        if limit == .eight || colors < 256 { return .eight }
        return colors > 0xFFFF ? .direct : .palette
    }
}
