import Foundation
import JSON
import Regex

/// Factories of normalizers by the "type" in tokenizer.json.
enum NormalizerRegistry {
    static func make(_ field: JSONReader, depth: Int = 0) throws -> any Normalizer {
        try ComponentRegistry.make(field, from: makers, depth: depth)
    }

    private static let makers: [String: ComponentRegistry.Maker<any Normalizer>] = {
        var makers: [String: ComponentRegistry.Maker<any Normalizer>] = [
            "Sequence": { field, depth in
                SequenceNormalizer(
                    steps: try field.member("normalizers").elements().map {
                        try make($0, depth: depth + 1)
                    })
            },
            "Lowercase": { _, _ in FunctionNormalizer(function: Lowercase.normalize) },
            "StripAccents": { _, _ in
                ScalarNormalizer { scalar, output in
                    if !CharacterClass.isMarkOfUnicode9(scalar) { UTF8Text.append(scalar, to: &output) }
                }
            },
            "Prepend": { field, _ in
                let prefix = try field.bytes("prepend")
                return FunctionNormalizer { $0.isEmpty ? $0 : prefix + $0 }
            },
            "Strip": { field, _ in
                let left = try field.bool("strip_left", default: true)
                let right = try field.bool("strip_right", default: true)
                return FunctionNormalizer { strip($0, left: left, right: right) }
            },
            "Replace": { field, _ in
                let pattern = try ComponentRegistry.pattern(field.member("pattern"))
                let content = try field.bytes("content")
                return FunctionNormalizer { pattern.replacing(with: content, in: $0) }
            },
            "ByteLevel": { _, _ in FunctionNormalizer { ByteAlphabet.spelling(of: $0) } },
            "Nmt": { _, _ in ScalarNormalizer(rewrite: nmt) },
            "BertNormalizer": { field, _ in
                let lowercases = try field.bool("lowercase", default: true)
                return BertNormalizer(
                    cleansText: try field.bool("clean_text", default: true),
                    separatesIdeographs: try field.bool("handle_chinese_chars", default: true),
                    stripsAccents: try field.bool("strip_accents", default: lowercases), lowercases: lowercases)
            },
            "Precompiled": { field, _ in
                guard let encoded = try field.memberIfPresent("precompiled_charsmap") else {
                    return FunctionNormalizer { $0 }
                }
                guard let data = Data(base64Encoded: Data(try encoded.bytes())), let map = CharacterMap(Array(data))
                else {
                    throw encoded.wrongType(expected: "a base64 character map", actual: "other text")
                }
                return FunctionNormalizer(function: map.normalizeByCluster)
            },
        ]
        for form in UnicodeForm.allCases {
            makers[form.rawValue] = { _, _ in FunctionNormalizer(function: form.normalize) }
        }
        return makers
    }()

    private static func strip(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
        text.withUnsafeBufferPointer { buffer in
            var start = 0
            var end = buffer.count
            while left, start < end {
                let (scalar, length) = UTF8Text.scalar(buffer, at: start)
                guard CharacterClass.isWhitespace(scalar) else { break }
                start += length
            }
            while right, end > start {
                let (scalar, length) = UTF8Text.scalar(buffer, before: end)
                guard CharacterClass.isWhitespace(scalar) else { break }
                end -= length
            }
            return Array(buffer[start..<end])
        }
    }

    /// SentencePiece's `nmt` rules beyond NFKC: some control characters are removed, some spaces become U+0020.
    @Sendable private static func nmt(_ scalar: UInt32, _ output: inout [UInt8]) {
        switch scalar {
        case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: break
        case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD:
            output.append(0x20)
        default: UTF8Text.append(scalar, to: &output)
        }
    }
}
