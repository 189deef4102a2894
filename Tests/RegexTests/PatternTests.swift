import Foundation
import TestSupport
import Testing

@testable import Regex

struct PatternTests {
    private func pieces(_ pattern: String, _ text: String) throws -> [String] {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBufferPointer { buffer in
            try Pattern(pattern).matches(in: buffer).map { String(decoding: buffer[$0], as: UTF8.self) }
        }
    }

    @Test(arguments: [
        (#"(?i:'s|'t)"#, "It's IT'S 't 'ſ", ["'s", "'S", "'t", "'ſ"]),
        (#"\p{N}{1,3}"#, "1234567", ["123", "456", "7"]),
        (#"\s+(?!\S)"#, "a   b  ", ["  ", "  "]),
        (#"a++b?a*"#, "aaab aaa", ["aaab", "aaa"]),
        (#"a*?b"#, "aab b", ["aab", "b"]),
        (#"(?<=x)y"#, "xy y", ["y"]),
        (#"(?<!x)y+"#, "xyy yy", ["y", "yy"]),
        (#"(?>a+)ab"#, "aaab", []),
        (#"[^\s\p{L}\p{N}]+"#, "héllo, wörld!? ½", [",", "!?"]),
        (#"[\p{L}&&[^a-y]]+"#, "xyzé", ["zé"]),
        (#"(?:(?:ab)|c){2,3}"#, "abcababcc", ["abcab", "abcc"]),
        (#"[]a-]+"#, "x]a-b", ["]a-"]),
        (#"\u00e9\x{65E5}"#, "é日", ["é日"]),
        (#"(a*)*b"#, "aaab", ["aaab"]),
        (#"^b|c$"#, "b\nb c\nc", ["b", "b", "c", "c"]),
    ])
    func matches(_ pattern: String, _ text: String, _ expected: [String]) throws {
        #expect(try pieces(pattern, text).filter { !$0.isEmpty } == expected, "\(pattern)")
    }

    /// An independent engine agrees wherever the two dialects mean the same.
    @Test(arguments: [
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#,
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#,
        #"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s+(?!\S)|\s+"#,
        #"(?<=\p{Lu})\p{Ll}+|(?:ab|a)++b?|[a-c&&[^b]]+?c|\S+(?=\s)"#,
    ])
    func agreesWithICU(_ pattern: String) throws {
        let expression = try NSRegularExpression(pattern: pattern)
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("abcABC'stlLrevmd 12٣ \n\r\té日本語éß.,!?/-_😀👩‍👩‍👧가각\u{301}\u{A0}\u{2003}Ⅷ½".unicodeScalars)
        for _ in 0..<400 {
            var text = ""
            for _ in 0..<Int.random(in: 1...24, using: &generator) {
                text.unicodeScalars.append(alphabet.randomElement(using: &generator) ?? "a")
            }
            let expected = expression.matches(in: text, range: NSRange(location: 0, length: text.utf16.count)).map {
                (text as NSString).substring(with: $0.range)
            }
            #expect(try pieces(pattern, text).map(Exact.init) == expected.map(Exact.init), "\(Exact(text))")
        }
    }

    @Test(arguments: [
        "(", "a)", "[a", "*", "a{3,1}", #"\p{Klingon}"#, #"\q"#, "(?<=a+)b", "(?P<n>a)", #"(a)\1"#, "a{1,100000}",
        "[[:alpha:]]", String(repeating: "(", count: 5000),
        // Look-behind whose length overflows or is beyond the limit.
        "(?<=(((((((a{1000}){1000}){1000}){1000}){1000}){1000}){1000}))", "(?<=a{1000}b)", "(?<!(?:ab){600})",
        // Quantifiers on quantifiers.
        "a" + String(repeating: "+", count: 50_000), "a" + String(repeating: "*?", count: 3000),
        "a" + String(repeating: "{2}", count: 200),
        // Repetitions of nothing, which take time but no instructions.
        "(?:(?:(?:(?:(?:){1000}){1000}){1000}){1000}){1000}",
    ])
    func refuses(_ pattern: String) {
        #expect(throws: PatternError.self) { try Pattern(pattern) }
    }

    @Test func longestLookBehind() throws {
        #expect(try pieces("(?<=a{1000})b", String(repeating: "a", count: 1000) + "b") == ["b"])
    }

    /// Work is bounded: a pattern made to explode gives up instead of hanging.
    @Test func explosionIsBounded() throws {
        let text = Array(repeating: UInt8(ascii: "a"), count: 2000)
        let matches = try text.withUnsafeBufferPointer { try Pattern("(?:a|aa)+(?:a|aa)+(?:a|aa)+$b").matches(in: $0) }
        #expect(matches.isEmpty)
    }
}
