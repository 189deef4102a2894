/// Joins the bytes of successive tokens and returns whole characters only.
package struct CharacterAssembler {
    private var pending: [UInt8] = []

    package init() {}

    /// The text that `bytes` completes.
    package mutating func add(_ bytes: [UInt8]) -> String {
        pending += bytes
        let held = CharacterAssembler.incompleteTail(of: pending)
        let text = String(decoding: pending.dropLast(held), as: UTF8.self)
        pending = Array(pending.suffix(held))
        return text
    }

    /// Number of bytes at the end that begin an incomplete character.
    private static func incompleteTail(of bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 && byte < 0xf5 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1
            return byte < 0xf5 && length > back ? back : 0
        }
        return 0
    }
}
