import JSON

/// A reader of PyTorch's pickles that executes nothing.
///
/// A pickle is a program for a stack machine that may import and call any Python function. This machine runs only the
/// opcodes of ``Opcode`` and the names of ``TorchGlobal``; every other opcode and name is an error. A call of
/// `_rebuild_tensor_v2` gives the description of a tensor, a persistent id that of a storage.
///
/// Containers are stored in arrays and values refer to them by index, so cycles cause no leaks and nesting no recursion.
struct Unpickler {
    enum Value: Sendable {
        case none
        case bool(Bool)
        case integer(Int)
        case number(Double)
        case string(String)
        /// A list or a set; an index into `sequences`, as for tuples.
        case list(Int)
        case tuple(Int)
        case dictionary(Int)
        case global(TorchGlobal)
        case storage(Int)
        case tensor(Int)
    }

    /// A flat run of elements, which tensors view.
    struct Storage {
        let type: TorchElementType
        /// Name of its bytes in the file.
        let key: String
        let count: Int
    }

    /// A view of a storage. Offset and strides count elements.
    struct Tensor {
        let storage: Int
        let offset: Int
        let shape: [Int]
        let strides: [Int]
    }

    /// Bound on the number of values, and so on memory. A tensor needs about 40, so this is enough for 6,500 tensors.
    private static let mostValues = 1 << 18
    /// The limit of torch.
    private static let mostDimensions = 64
    private static let longestName = 256

    private(set) var storages: [Storage] = []
    private(set) var tensors: [Tensor] = []

    private let path: String
    private var sequences: [[Value]] = []
    private var dictionaries: [[(key: Value, value: Value)]] = []
    private var storageOfKey: [String: Int] = [:]
    private var stack: [Value] = []
    /// Stack heights at the open marks.
    private var marks: [Int] = []
    private var memo: [Int: Value] = [:]
    private var valueCount = 0

    init(path: String) { self.path = path }

    // MARK: Results

    /// The members of a dictionary that have a string as their key; `nil` for any other value.
    func members(_ value: Value) -> [(name: String, value: Value)]? {
        guard case .dictionary(let index) = value else { return nil }
        return dictionaries[index].compactMap { pair in
            guard case .string(let name) = pair.key else { return nil }
            return (name, pair.value)
        }
    }

    func member(_ name: String, of value: Value) -> Value? { members(value)?.last { $0.name == name }?.value }

    /// The elements of a list or tuple; `nil` for any other value.
    func elements(_ value: Value) -> [Value]? {
        switch value {
        case .list(let index), .tuple(let index): sequences[index]
        default: nil
        }
    }

    func integer(_ value: Value?) -> Int? {
        guard case .integer(let integer)? = value else { return nil }
        return integer
    }

    private func integers(_ value: Value) -> [Int]? {
        guard case .tuple(let index) = value, sequences[index].count <= Self.mostDimensions else { return nil }
        let integers = sequences[index].compactMap(integer)
        return integers.count == sequences[index].count ? integers : nil
    }

    // MARK: Machine

    /// Runs one pickle and returns its value.
    mutating func run(_ reader: inout ByteReader) throws(CheckpointError) -> Value {
        (stack, marks, memo) = ([], [], [:])
        while true {
            let code = try reader.integer(UInt8.self)
            guard let opcode = Opcode(rawValue: code) else {
                throw .refusedPickle(file: path, item: "the opcode \(Opcode.refusedName(code))")
            }
            if opcode == .stop { break }
            try step(opcode, &reader)
        }
        let value = try pop()
        guard stack.isEmpty, marks.isEmpty else { throw malformed("values are left on the stack") }
        return value
    }

    private mutating func step(_ opcode: Opcode, _ reader: inout ByteReader) throws(CheckpointError) {
        switch opcode {
        case .proto: _ = try reader.integer(UInt8.self)
        case .stop: break
        case .mark:
            try count()
            marks.append(stack.count)

        case .none: try push(.none)
        case .newTrue: try push(.bool(true))
        case .newFalse: try push(.bool(false))
        case .binInt: try push(.integer(Int(try reader.integer(Int32.self))))
        case .binInt1: try push(.integer(Int(try reader.integer(UInt8.self))))
        case .binInt2: try push(.integer(Int(try reader.integer(UInt16.self))))
        case .long1: try push(.integer(try long(&reader)))
        case .binFloat: try push(.number(Double(bitPattern: try reader.integer(UInt64.self).byteSwapped)))
        case .shortBinString: try push(.string(try text(&reader, count: Int(try reader.integer(UInt8.self)))))
        case .binUnicode: try push(.string(try text(&reader, count: Int(try reader.integer(UInt32.self)))))

        case .emptyList, .emptySet: try push(.list(sequence([])))
        case .emptyTuple: try push(.tuple(sequence([])))
        case .emptyDictionary: try push(.dictionary(dictionary([])))
        case .tuple: try push(.tuple(sequence(try popToMark())))
        case .tuple1: try push(.tuple(sequence(try pop(1))))
        case .tuple2: try push(.tuple(sequence(try pop(2))))
        case .tuple3: try push(.tuple(sequence(try pop(3))))
        case .append: try append(try pop(1))
        case .appends: try append(try popToMark())
        case .setItem: try set(try pop(2))
        case .setItems: try set(try popToMark())

        case .binGet: try push(try recall(Int(try reader.integer(UInt8.self))))
        case .longBinGet: try push(try recall(Int(try reader.integer(UInt32.self))))
        case .binPut: try memoize(Int(try reader.integer(UInt8.self)))
        case .longBinPut: try memoize(Int(try reader.integer(UInt32.self)))

        case .global: try push(.global(try global(&reader)))
        case .binPersistentID: try push(.storage(try storage(try pop())))
        case .reduce, .newObject:
            let operands = try pop(2)
            guard case .global(let function) = operands[0], case .tuple(let arguments) = operands[1] else {
                throw malformed("a call of something that is not a function")
            }
            try push(try call(function, sequences[arguments]))
        case .build:
            // The attributes of a state dictionary (`_metadata`) are not needed.
            let operands = try pop(2)
            guard case .dictionary = operands[0] else {
                throw .refusedPickle(file: path, item: "setting attributes of an object")
            }
            try push(operands[0])
        }
    }

    private mutating func push(_ value: Value) throws(CheckpointError) {
        try count()
        stack.append(value)
    }

    private mutating func count(_ values: Int = 1) throws(CheckpointError) {
        valueCount += values
        guard valueCount <= Self.mostValues else { throw malformed("more than \(Self.mostValues) values") }
    }

    private mutating func pop() throws(CheckpointError) -> Value { try pop(1)[0] }

    /// The topmost values, in the order in which they were pushed.
    private mutating func pop(_ count: Int) throws(CheckpointError) -> [Value] {
        guard stack.count - (marks.last ?? 0) >= count else { throw malformed("an opcode finds its stack empty") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    private mutating func popToMark() throws(CheckpointError) -> [Value] {
        guard let mark = marks.popLast() else { throw malformed("an opcode finds no mark") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    private mutating func sequence(_ values: [Value]) -> Int {
        sequences.append(values)
        return sequences.count - 1
    }

    private mutating func dictionary(_ pairs: [(key: Value, value: Value)]) -> Int {
        dictionaries.append(pairs)
        return dictionaries.count - 1
    }

    private mutating func append(_ values: [Value]) throws(CheckpointError) {
        guard case .list(let index) = try pop() else { throw malformed("values are appended to what is not a list") }
        sequences[index] += values
        stack.append(.list(index))
    }

    private mutating func set(_ values: [Value]) throws(CheckpointError) {
        guard case .dictionary(let index) = try pop(), values.count % 2 == 0 else {
            throw malformed("items are set in what is not a dictionary")
        }
        for pair in stride(from: 0, to: values.count, by: 2) {
            dictionaries[index].append((values[pair], values[pair + 1]))
        }
        stack.append(.dictionary(index))
    }

    private mutating func memoize(_ index: Int) throws(CheckpointError) {
        try count()
        guard stack.count > marks.last ?? 0, let value = stack.last else {
            throw malformed("an opcode finds its stack empty")
        }
        memo[index] = value
    }

    private func recall(_ index: Int) throws(CheckpointError) -> Value {
        guard let value = memo[index] else { throw malformed("nothing is stored under the number \(index)") }
        return value
    }

    // MARK: Operands

    private func text(_ reader: inout ByteReader, count: Int) throws(CheckpointError) -> String {
        try reader.text(count: count, what: "a string of the pickle")
    }

    private func long(_ reader: inout ByteReader) throws(CheckpointError) -> Int {
        let count = Int(try reader.integer(UInt8.self))
        guard count <= 8 else { throw malformed("an integer of \(count) bytes") }
        var bits: UInt64 = 0
        for index in 0..<count { bits |= UInt64(try reader.integer(UInt8.self)) << (8 * index) }
        guard count > 0 else { return 0 }
        let shift = 64 - 8 * count
        return Int(Int64(bitPattern: bits << shift) >> shift)
    }

    private func global(_ reader: inout ByteReader) throws(CheckpointError) -> TorchGlobal {
        let module = try line(&reader)
        let name = try line(&reader)
        guard let global = TorchGlobal(module: module, name: name) else {
            throw .refusedPickle(file: path, item: "the name \(printable(module + "." + name))")
        }
        return global
    }

    private func line(_ reader: inout ByteReader) throws(CheckpointError) -> String {
        var bytes: [UInt8] = []
        while bytes.count <= Self.longestName {
            let byte = try reader.integer(UInt8.self)
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        throw malformed("a name of more than \(Self.longestName) bytes")
    }

    // MARK: Calls

    /// A persistent id: `("storage", type, key, device, count)`, in older files with a view of the storage, or none.
    private mutating func storage(_ identifier: Value) throws(CheckpointError) -> Int {
        guard case .tuple(let index) = identifier, sequences[index].count >= 5,
            case .string("storage") = sequences[index][0], case .global(.storage(let type)) = sequences[index][1],
            case .string(let key) = sequences[index][2], let count = integer(sequences[index][4]), count >= 0
        else {
            throw malformed("a persistent id that is not a storage")
        }
        if sequences[index].count > 5 {
            guard case .none = sequences[index][5] else { throw malformed("a view of the storage \(printable(key))") }
        }
        if let known = storageOfKey[key] {
            guard storages[known].type == type, storages[known].count == count else {
                throw malformed("the storage \(printable(key)) has two types or sizes")
            }
            return known
        }
        storageOfKey[key] = storages.count
        storages.append(Storage(type: type, key: key, count: count))
        return storages.count - 1
    }

    private mutating func call(_ function: TorchGlobal, _ arguments: [Value]) throws(CheckpointError) -> Value {
        switch function {
        case .orderedDictionary:
            guard let first = arguments.first else { return .dictionary(dictionary([])) }
            let pairs = elements(first)?.compactMap { pair -> (key: Value, value: Value)? in
                guard let items = elements(pair), items.count == 2 else { return nil }
                return (items[0], items[1])
            }
            guard arguments.count == 1, let pairs, pairs.count == elements(first)?.count else {
                throw malformed("an OrderedDict of something that is not a list of pairs")
            }
            try count(pairs.count)
            return .dictionary(dictionary(pairs))
        case .rebuildTensor:
            guard arguments.count >= 4, case .storage(let storage) = arguments[0],
                let offset = integer(arguments[1]), let shape = integers(arguments[2]),
                let strides = integers(arguments[3]), shape.count == strides.count
            else {
                throw malformed("a tensor whose description is not one")
            }
            try count(2 * shape.count)
            tensors.append(Tensor(storage: storage, offset: offset, shape: shape, strides: strides))
            return .tensor(tensors.count - 1)
        case .rebuildParameter:
            guard case .tensor? = arguments.first else { throw malformed("a parameter that is not a tensor") }
            return arguments[0]
        case .storage: throw malformed("a storage that is not in a tensor")
        }
    }

    private func malformed(_ problem: String) -> CheckpointError {
        .malformed(file: path, tensor: nil, problem: "its pickle is invalid: \(problem)")
    }
}
