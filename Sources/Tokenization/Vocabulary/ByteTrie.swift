/// A trie from byte strings to values.
struct ByteTrie: Sendable {
    private var edges = PairTable()
    /// Per node the value of the string that ends there, or -1.
    private var values: [Int32] = [-1]

    var isEmpty: Bool { values.count == 1 }

    /// A later string replaces an equal earlier one. Empty strings are left out.
    mutating func insert(_ text: some Collection<UInt8>, value: Int32) {
        guard !text.isEmpty else { return }
        var node: Int32 = 0
        for byte in text {
            let key = PairTable.key(node, Int32(byte))
            if let edge = edges.value(key) {
                node = edge.first
            } else {
                node = Int32(values.count)
                values.append(-1)
                edges.set(key, .init(first: node, second: 0))
            }
        }
        values[Int(node)] = value
    }

    /// The node one byte further; the root is 0.
    @inline(__always)
    func step(_ node: Int32, _ byte: UInt8) -> Int32? { edges.value(PairTable.key(node, Int32(byte)))?.first }

    @inline(__always)
    func value(at node: Int32) -> Int32 { values[Int(node)] }

    /// The longest string that begins at `start`: its value and end.
    func longest(in text: UnsafeBufferPointer<UInt8>, at start: Int) -> (value: Int32, end: Int)? {
        var node: Int32 = 0
        var index = start
        var found: (Int32, Int)?
        while index < text.count, let next = step(node, text[index]) {
            node = next
            index += 1
            if value(at: node) >= 0 { found = (value(at: node), index) }
        }
        return found
    }
}
