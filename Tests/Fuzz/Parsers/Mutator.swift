import JSON

/// Changes inputs at random, within their form or without regard to it.
struct Mutator {
    let form: InputForm
    /// The change of bytes without structure: libFuzzer's, or `Mutator.bytes`.
    let bytes: (_ input: [UInt8], _ longest: Int, _ random: inout Random) -> [UInt8]

    /// A changed input of at most `longest` bytes.
    func mutate(_ input: [UInt8], longest: Int, _ random: inout Random) -> [UInt8] {
        var result: [UInt8]
        switch form {
        case .bytes: result = bytes(input, longest, &random)
        case .json:
            result = random.below(3) == 0 ? bytes(input, longest, &random) : json(input, longest, &random)
        case .framed(let framing):
            guard random.below(8) != 0, let pieces = framing.split(input), !pieces.isEmpty else {
                return bytes(input, longest, &random)
            }
            result = framing.join(mutate(pieces, longest, &random))
            // Damage to the frame itself.
            if random.below(8) == 0 { result = bytes(result, longest, &random) }
        }
        return Array(result.prefix(longest))
    }

    private func mutate(_ original: [Piece], _ longest: Int, _ random: inout Random) -> [Piece] {
        var pieces = original
        let place = random.below(pieces.count), other = random.below(pieces.count)
        switch random.below(12) {
        // The first piece of some formats is their header, without which nothing is read.
        case 0 where place > 0: pieces.remove(at: place)
        case 1: pieces.insert(pieces[place], at: max(1, other))
        case 2 where place > 0 && other > 0: pieces.swapAt(place, other)
        case 3 where place > 0: pieces[place].body.removeLast(random.below(pieces[place].body.count + 1))
        default:
            let body = pieces[place].body
            let isJSON = body.first == UInt8(ascii: "{") && random.below(3) != 0
            pieces[place].body = isJSON ? json(body, longest, &random) : bytes(body, longest, &random)
        }
        return pieces
    }

    // MARK: JSON

    private func json(_ input: [UInt8], _ longest: Int, _ random: inout Random) -> [UInt8] {
        guard let value = try? JSONParser.parse(input, duplicateKeys: .lastCounts) else {
            return bytes(input, longest, &random)
        }
        var count = 0
        value.visit { _ in count += 1 }
        var result = value
        for _ in 0...random.below(3) {
            var place = random.below(count), donor = random.below(count)
            var replacement = JSONValue.null
            value.visit { node in
                if donor == 0 { replacement = node }
                donor -= 1
            }
            let choice = random.below(4)
            result = result.replacing(&place) { node in
                switch choice {
                case 0: return replacement
                case 1: return Self.extremes[random.below(Self.extremes.count)]
                case 2: return edited(node, &random)
                default:
                    guard case .string(let text) = node else { return Self.extremes[random.below(Self.extremes.count)] }
                    return .string(String(decoding: bytes(Array(text.utf8), 256, &random), as: UTF8.self))
                }
            }
        }
        var text = ""
        result.write(to: &text)
        return Array(text.utf8)
    }

    /// A list or object with an element more or less.
    private func edited(_ node: JSONValue, _ random: inout Random) -> JSONValue {
        switch node {
        case .array(var elements) where !elements.isEmpty:
            let place = random.below(elements.count)
            if random.below(2) == 0 { elements.remove(at: place) } else { elements.append(elements[place]) }
            return .array(elements)
        case .object(let object) where !object.isEmpty:
            var members = Array(object)
            let place = random.below(members.count)
            switch random.below(3) {
            case 0: members.remove(at: place)
            case 1: members.append((members[place].key + "x", members[place].value))
            default: members.swapAt(place, random.below(members.count))
            }
            return .object(JSONObject(members))
        case .integer(let number): return .integer(number &+ (random.below(9) - 4))
        case .bool(let flag): return .bool(!flag)
        default: return .null
        }
    }

    private static let extremes: [JSONValue] = [
        .null, .bool(true), .bool(false), .integer(0), .integer(1), .integer(-1), .integer(2), .integer(3),
        .integer(255), .integer(65_536), .integer(1 << 31), .integer(1 << 32), .integer(1 << 53), .integer(.max),
        .integer(.min), .number(0.5), .number(-0.5), .number(1e300), .number(-1e300), .number(1e-300), .string(""),
        .string("\u{0}"), .string(String(repeating: "a", count: 300)), .string("é\u{301}\u{1F469}\u{200D}"),
        .array([]), .object([:]), .array([.array([.array([])])]),
    ]

    // MARK: Bytes

    /// Inserts, removes, copies or replaces a few bytes.
    static func bytes(_ input: [UInt8], _ longest: Int, _ random: inout Random) -> [UInt8] {
        var result = input
        for _ in 0...random.below(4) {
            let place = random.below(result.count + 1)
            switch random.below(7) {
            case 0: result.insert(contentsOf: words[random.below(words.count)], at: place)
            case 1: result.removeSubrange(place..<min(result.count, place + 1 + random.below(8)))
            case 2 where place < result.count: result[place] ^= 1 << UInt8(random.below(8))
            case 3 where place < result.count: result[place] = [0, 1, 0x7F, 0x80, 0xFF][random.below(5)]
            case 4:
                let word = words[random.below(words.count)]
                result.replaceSubrange(place..<min(result.count, place + word.count), with: word)
            case 5:
                let end = min(result.count, place + 1 + random.below(32))
                result.insert(contentsOf: Array(result[place..<end]), at: random.below(result.count + 1))
            default: result.insert(UInt8(random.below(256)), at: place)
            }
        }
        return Array(result.prefix(longest))
    }

    private static let words: [[UInt8]] =
        [
            [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0x80], [1, 0, 0, 0],
            [0, 0, 0, 1], [0xFF, 0xFF], [0, 0x80], [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
            [0, 0, 0, 0, 0, 0, 0, 0x80], [0xC3], [0xED, 0xA0, 0x80], [0xF4, 0x8F, 0xBF, 0xBF],
        ]
        + [
            "{{", "}}", "{%", "%}", "(", ")", "[", "]", "{", "}", "*", "+", "{9999}", "(?<=", "\\p{L}", "|", "^", "\n",
            "\"", "'", ",", ":", "9223372036854775807", "-1", "1e999", "null", " ", "\\u0000",
        ].map { Array($0.utf8) }
}

/// A generator of pseudo-random numbers (SplitMix64), the same on every machine.
struct Random {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    /// A number from 0 to `count - 1`.
    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}

extension JSONValue {
    /// Calls `body` with this value and all values in it.
    fileprivate func visit(_ body: (JSONValue) -> Void) {
        body(self)
        switch self {
        case .array(let elements): for element in elements { element.visit(body) }
        case .object(let members): for member in members { member.value.visit(body) }
        default: break
        }
    }

    /// The value with node number `place`, as `visit` counts, replaced.
    fileprivate func replacing(_ place: inout Int, with change: (JSONValue) -> JSONValue) -> JSONValue {
        place -= 1
        if place < 0 { return place == -1 ? change(self) : self }
        switch self {
        case .array(let elements): return .array(elements.map { $0.replacing(&place, with: change) })
        case .object(let members):
            return .object(JSONObject(members.map { ($0.key, $0.value.replacing(&place, with: change)) }))
        default: return self
        }
    }

    fileprivate func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let flag): text += flag ? "true" : "false"
        case .integer(let number): text += "\(number)"
        case .number(let number): text += number.isFinite ? "\(number)" : "1e400"
        case .string(let string): Self.write(string, to: &text)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += "," }
                Self.write(member.key, to: &text)
                text += ":"
                member.value.write(to: &text)
            }
            text += "}"
        }
    }

    private static func write(_ string: String, to text: inout String) {
        text += "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
        text += "\""
    }
}
