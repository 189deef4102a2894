import Foundation

@testable import Tokenization

/// Just enough of a GGUF reader to get at the tokenizer of trusted test files.
struct GGUFMetadata {
    enum Value {
        case integer(Int64)
        case real(Double)
        case bool(Bool)
        case string([UInt8])
        case array([Value])
    }

    private(set) var values: [String: Value] = [:]
    private var data: Data
    private var index = 0

    init(contentsOf url: URL) throws {
        data = try Data(contentsOf: url, options: .alwaysMapped)
        guard data.prefix(4).elementsEqual("GGUF".utf8) else { throw CocoaError(.fileReadCorruptFile) }
        index = 8
        _ = number(8)
        for _ in 0..<number(8) {
            let key = String(decoding: string(), as: UTF8.self)
            values[key] = value(type: number(4))
        }
        data = Data()
    }

    private mutating func number(_ size: Int) -> UInt64 {
        defer { index += size }
        return (0..<size).reduce(0) { $0 | UInt64(data[index + $1]) << UInt64(8 * $1) }
    }

    private mutating func string() -> [UInt8] {
        let count = Int(number(8))
        defer { index += count }
        return Array(data[index..<index + count])
    }

    private mutating func value(type: UInt64) -> Value {
        switch type {
        case 0: .integer(Int64(number(1)))
        case 1: .integer(Int64(Int8(truncatingIfNeeded: number(1))))
        case 2: .integer(Int64(number(2)))
        case 3: .integer(Int64(Int16(truncatingIfNeeded: number(2))))
        case 4: .integer(Int64(number(4)))
        case 5: .integer(Int64(Int32(truncatingIfNeeded: number(4))))
        case 6: .real(Double(Float(bitPattern: UInt32(number(4)))))
        case 7: .bool(number(1) != 0)
        case 8: .string(string())
        case 10, 11: .integer(Int64(truncatingIfNeeded: number(8)))
        case 12: .real(Double(bitPattern: number(8)))
        default: array()
        }
    }

    private mutating func array() -> Value {
        let type = number(4)
        let count = number(8)
        return .array((0..<count).map { _ in value(type: type) })
    }

    func string(_ key: String) -> String? {
        if case .string(let bytes)? = values["tokenizer.ggml.\(key)"] {
            String(decoding: bytes, as: UTF8.self)
        } else {
            nil
        }
    }
    func integer(_ key: String) -> Int? {
        if case .integer(let number)? = values["tokenizer.ggml.\(key)"] { Int(number) } else { nil }
    }
    func bool(_ key: String) -> Bool? {
        if case .bool(let flag)? = values["tokenizer.ggml.\(key)"] { flag } else { nil }
    }
    func array(_ key: String) -> [Value] {
        if case .array(let values)? = values["tokenizer.ggml.\(key)"] { values } else { [] }
    }
    private func strings(_ key: String) -> [String] {
        array(key).map { if case .string(let bytes) = $0 { String(decoding: bytes, as: UTF8.self) } else { "" } }
    }

    var vocabulary: GGUFVocabulary {
        GGUFVocabulary(
            model: string("model") ?? "", pre: string("pre"), tokens: strings("tokens"),
            scores: array("scores").map { if case .real(let score) = $0 { Float(score) } else { 0 } },
            types: array("token_type").map { if case .integer(let type) = $0 { Int32(type) } else { 0 } },
            merges: strings("merges"),
            bos: integer("bos_token_id"), eos: integer("eos_token_id"), unknown: integer("unknown_token_id"),
            separator: integer("seperator_token_id"),
            padding: integer("padding_token_id"), classification: integer("cls_token_id"),
            addsBOS: bool("add_bos_token"), addsEOS: bool("add_eos_token"),
            addsSpacePrefix: bool("add_space_prefix"), removesExtraWhitespace: bool("remove_extra_whitespaces"),
            charactersMap: array("precompiled_charsmap").map {
                if case .integer(let byte) = $0 { UInt8(truncatingIfNeeded: byte) } else { 0 }
            })
    }
}
