/// Finds strings that end an answer in text that comes piece by piece. Text that may be the beginning of one is held
/// back until it is clear.
struct StopStrings {
    private let strings: [String]
    private var held = ""
    /// True once a stop string was found; nothing passes from then on.
    private(set) var isMet = false

    init(_ strings: [String]) { self.strings = strings.filter { !$0.isEmpty } }

    /// Takes a piece and returns what may be shown.
    mutating func add(_ piece: String) -> String {
        if isMet { return "" }
        if strings.isEmpty { return piece }
        held += piece
        let found = strings.compactMap { held.firstRange(of: $0)?.lowerBound }.min()
        if let found {
            isMet = true
            defer { held = "" }
            return String(held[..<found])
        }
        // Keeps the longest end of the text that begins a stop string. Scalars, because a stop string may begin within
        // a character.
        let scalars = Array(held.unicodeScalars)
        let longest = strings.map { $0.unicodeScalars.count - 1 }.max() ?? 0
        for count in stride(from: min(longest, scalars.count), to: 0, by: -1) {
            let end = scalars[(scalars.count - count)...]
            if strings.contains(where: { $0.unicodeScalars.starts(with: end) }) {
                var shown = String.UnicodeScalarView(), kept = String.UnicodeScalarView()
                shown.append(contentsOf: scalars[..<(scalars.count - count)])
                kept.append(contentsOf: end)
                held = String(kept)
                return String(shown)
            }
        }
        defer { held = "" }
        return held
    }

    /// The text held back, after the last piece.
    mutating func finish() -> String {
        defer { held = "" }
        return held
    }
}
