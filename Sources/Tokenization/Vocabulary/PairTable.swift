/// A hash table from 64-bit keys to two 32-bit values: merges by their pair of ids, trie edges by node and byte.
struct PairTable: Sendable {
    struct Value: Sendable {
        var first: Int32
        var second: Int32
    }

    private struct Slot {
        var key: UInt64
        var value: Value
    }

    private static let empty = UInt64.max
    /// Random, so that no file can provoke collisions.
    private static let seed = UInt64.random(in: .min ... .max)
    private var slots: [Slot]
    private(set) var count = 0

    init(minimumCapacity: Int = 0) {
        var capacity = 16
        while capacity < minimumCapacity * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(key: Self.empty, value: Value(first: 0, second: 0)), count: capacity)
    }

    @inline(__always)
    static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    @inline(__always)
    private func index(_ key: UInt64) -> Int {
        var hash = key ^ Self.seed
        hash ^= hash >> 32
        hash = hash &* 0x9E37_79B9_7F4A_7C15
        var index = Int(truncatingIfNeeded: hash ^ hash >> 29) & (slots.count - 1)
        while slots[index].key != Self.empty, slots[index].key != key { index = (index + 1) & (slots.count - 1) }
        return index
    }

    @inline(__always)
    func value(_ key: UInt64) -> Value? {
        let slot = slots[index(key)]
        return slot.key == Self.empty ? nil : slot.value
    }

    /// `key` must not be `UInt64.max`.
    mutating func set(_ key: UInt64, _ value: Value) {
        var position = index(key)
        if slots[position].key == Self.empty {
            if (count + 1) * 2 > slots.count {
                grow()
                position = index(key)
            }
            count += 1
        }
        slots[position] = Slot(key: key, value: value)
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(key: Self.empty, value: Value(first: 0, second: 0)), count: old.count * 2)
        for slot in old where slot.key != Self.empty { slots[index(slot.key)] = slot }
    }
}
