import Foundation

/// Writes small GGUF files (version 3, f32 tensors) for tests of models there is no fixture of.
struct GGUFFile {
    enum Value {
        case string(String)
        case integer(Int)
        case float(Float)
        case bool(Bool)
        case integers([Int])
        case floats([Float])
        case strings([String])
    }

    private(set) var values: [(key: String, value: Value)] = []
    private(set) var tensors: [(name: String, shape: [Int], values: [Float])] = []

    mutating func set(_ key: String, _ value: Value) { values.append((key, value)) }

    /// - Parameter shape: outermost dimension first, as everywhere here but in the file itself.
    mutating func add(_ name: String, shape: [Int], _ floats: [Float]) {
        precondition(shape.reduce(1, *) == floats.count)
        tensors.append((name, shape, floats))
    }

    func write(to path: String) throws {
        var bytes = Data("GGUF".utf8)
        func put<T: FixedWidthInteger>(_ value: T) {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        func put(_ text: String) {
            put(UInt64(text.utf8.count))
            bytes.append(contentsOf: text.utf8)
        }
        func list<T>(_ type: UInt32, _ elements: [T], _ each: (T) -> Void) {
            put(UInt32(9))
            put(type)
            put(UInt64(elements.count))
            elements.forEach(each)
        }
        put(UInt32(3))
        put(UInt64(tensors.count))
        put(UInt64(values.count))
        for (key, value) in values {
            put(key)
            switch value {
            case .string(let text):
                put(UInt32(8))
                put(text)
            case .integer(let number):
                put(UInt32(4))
                put(UInt32(number))
            case .float(let number):
                put(UInt32(6))
                put(number.bitPattern)
            case .bool(let flag):
                put(UInt32(7))
                put(UInt8(flag ? 1 : 0))
            case .integers(let numbers): list(5, numbers) { put(Int32($0)) }
            case .floats(let numbers): list(6, numbers) { put($0.bitPattern) }
            case .strings(let texts): list(8, texts) { put($0) }
            }
        }
        var offset = 0
        for (name, shape, values) in tensors {
            put(name)
            put(UInt32(shape.count))
            for dimension in shape.reversed() { put(UInt64(dimension)) }
            put(UInt32(0))
            put(UInt64(offset))
            offset += (values.count * 4 + 31) / 32 * 32
        }
        func pad() { bytes.append(Data(count: (32 - bytes.count % 32) % 32)) }
        pad()
        for tensor in tensors {
            tensor.values.withUnsafeBytes { bytes.append(contentsOf: $0) }
            pad()
        }
        try bytes.write(to: URL(filePath: path))
    }
}
