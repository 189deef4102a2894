import Regex

/// `ByteLevel`: GPT-2's split, then every byte as a printable character.
struct ByteLevelPreTokenizer: PreTokenizer {
    var addsPrefixSpace = false
    var usesPattern = true

    /// GPT-2's split pattern (Radford et al. 2019).
    static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private let split: SplitPreTokenizer?

    init(addsPrefixSpace: Bool = false, usesPattern: Bool = true) throws {
        self.addsPrefixSpace = addsPrefixSpace
        self.usesPattern = usesPattern
        split =
            usesPattern ? SplitPreTokenizer(pattern: .regex(try Pattern(Self.gpt2Pattern)), behavior: .isolated) : nil
    }

    func apply(to text: inout PreTokenizedText) {
        if addsPrefixSpace {
            text.rewriteWords { word, _, output in
                if word.first != 0x20 { output.append(0x20) }
                output += word
            }
        }
        split?.apply(to: &text)
        text.rewriteWords { word, _, output in
            for byte in word {
                let (first, second) = ByteAlphabet.utf8[Int(byte)]
                output.append(first)
                if second != 0 { output.append(second) }
            }
        }
    }
}
