import ChatTemplates

/// Reads JSON as template values: keys keep their order, and integers differ from floating-point numbers.
struct JSONReader {
    struct Damaged: Error {
        let offset: Int
    }

    private let bytes: [UInt8]
    private var position = 0

    static func value(_ bytes: some Sequence<UInt8>) throws -> TemplateValue {
        var reader = JSONReader(bytes: Array(bytes))
        return try reader.value()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func next() throws -> UInt8 {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
        guard position < bytes.count else { throw Damaged(offset: position) }
        return bytes[position]
    }

    private mutating func take(_ character: Unicode.Scalar) throws -> Bool {
        guard try next() == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func value() throws -> TemplateValue {
        switch try next() {
        case UInt8(ascii: "{"):
            var entries: [(String, TemplateValue)] = []
            position += 1
            while try !take("}") {
                _ = try next()
                let key = try string()
                guard try take(":") else { throw Damaged(offset: position) }
                entries.append((key, try value()))
                _ = try take(",")
            }
            return .mapping(entries)
        case UInt8(ascii: "["):
            var elements: [TemplateValue] = []
            position += 1
            while try !take("]") {
                elements.append(try value())
                _ = try take(",")
            }
            return .list(elements)
        case UInt8(ascii: "\""): return .string(try string())
        default:
            let start = position
            while position < bytes.count, !",]} \n".utf8.contains(bytes[position]) { position += 1 }
            let word = String(decoding: bytes[start..<position], as: UTF8.self)
            switch word {
            case "null": return .none
            case "true", "false": return .bool(word == "true")
            default:
                if let number = Int(word) { return .integer(number) }
                guard let number = Double(word) else { throw Damaged(offset: start) }
                return .float(number)
            }
        }
    }

    private mutating func string() throws -> String {
        position += 1
        var units: [UInt16] = []
        var start = position
        func text(_ end: Int) -> String { String(decoding: bytes[start..<end], as: UTF8.self) }
        while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
            guard bytes[position] == UInt8(ascii: "\\") else {
                position += 1
                continue
            }
            units += text(position).utf16
            guard position + 1 < bytes.count else { throw Damaged(offset: position) }
            let code = bytes[position + 1]
            position += 2
            switch code {
            case UInt8(ascii: "n"): units.append(0x0A)
            case UInt8(ascii: "t"): units.append(0x09)
            case UInt8(ascii: "r"): units.append(0x0D)
            case UInt8(ascii: "b"): units.append(0x08)
            case UInt8(ascii: "f"): units.append(0x0C)
            case UInt8(ascii: "u"):
                let digits = String(decoding: bytes[position..<min(position + 4, bytes.count)], as: UTF8.self)
                guard let unit = UInt16(digits, radix: 16) else { throw Damaged(offset: position) }
                units.append(unit)
                position += 4
            default: units.append(UInt16(code))
            }
            start = position
        }
        units += text(position).utf16
        position += 1
        return String(decoding: units, as: UTF16.self)
    }
}
