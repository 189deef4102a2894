/// Which terminfo entry and how many colors to use, from the environment. Pure, so that it is tested without a terminal.
struct TerminalChoice: Hashable {
    /// Entries to try, best first.
    var candidates: [String]
    /// The most colors to use whatever the terminal says.
    var limit: ColorDepth
    var unicode: Bool
    var quarterBlocks: Bool
    /// Whether to wrap each frame in marks of synchronised output (DEC mode 2026), which terminals that lack it ignore.
    var synchronised: Bool
    /// Whether to ask for pixels: not where pictures have no colors, nor a terminal that would print the question.
    var asksForGraphics: Bool

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
        synchronised = term != "linux" && !term.hasPrefix("vt")
        asksForGraphics = synchronised && unicode && !noColor
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

    /// What a terminal that reports `colors` is used for.
    func depth(colors: Int) -> ColorDepth {
        if limit == .none || colors < 8 { return .none }
        if limit == .eight || colors < 256 { return .eight }
        return colors > 0xFFFF ? .direct : .palette
    }
}
