import Regex

/// `BertNormalizer`: cleans text, surrounds ideographs with spaces, strips accents, lowercases (Devlin et al. 2018,
/// `BasicTokenizer`).
struct BertNormalizer: Normalizer {
    var cleansText = true
    var separatesIdeographs = true
    var stripsAccents = true
    var lowercases = true

    func normalize(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        UTF8Text.forEachScalar(text) { scalar, _ in
            if cleansText {
                if scalar == 0 || scalar == 0xFFFD || Self.isControl(scalar) { return }
                if CharacterClass.isWhitespace(scalar) {
                    result.append(0x20)
                    return
                }
            }
            if separatesIdeographs, CharacterClass.isBertIdeograph(scalar) {
                result.append(0x20)
                UTF8Text.append(scalar, to: &result)
                result.append(0x20)
            } else {
                UTF8Text.append(scalar, to: &result)
            }
        }
        if stripsAccents, !UTF8Text.isASCII(result) {
            var stripped: [UInt8] = []
            UTF8Text.forEachScalar(UnicodeForm.nfd.normalize(result)) { scalar, _ in
                if !CharacterClass.isNonspacingMarkOfUnicode8(scalar) { UTF8Text.append(scalar, to: &stripped) }
            }
            result = stripped
        }
        return lowercases ? Lowercase.normalize(result) : result
    }

    private static func isControl(_ scalar: UInt32) -> Bool {
        if scalar == 0x09 || scalar == 0x0A || scalar == 0x0D { return false }
        // Unassigned characters stay, and so do those newer than Unicode 8, the version of the reference's tables.
        return !CharacterClass.of(scalar).isDisjoint(with: [.cc, .cf, .co])
            && CharacterClass.isAssigned(scalar, byUnicode: 8)
    }
}
