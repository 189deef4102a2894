/// Builds what `torch.save` writes by hand, right files and wrong ones.
package struct TorchBytes {
    package struct Storage {
        package var type: String
        package var count: Int
        package var bytes: [UInt8]

        package init(_ type: String, count: Int? = nil, _ bytes: [UInt8]) {
            self.type = type
            self.count = count ?? bytes.count
            self.bytes = bytes
        }

        package init(floats: [Float]) {
            self.init(
                "FloatStorage", count: floats.count, floats.flatMap { SafetensorsBytes.little($0.bitPattern) })
        }
    }

    package struct Tensor {
        package var name: String
        package var storage = 0
        package var offset = 0
        package var shape: [Int]
        package var strides: [Int]
        package var isParameter = false

        package init(
            name: String, storage: Int = 0, offset: Int = 0, shape: [Int], strides: [Int], isParameter: Bool = false
        ) {
            self.name = name
            self.storage = storage
            self.offset = offset
            self.shape = shape
            self.strides = strides
            self.isParameter = isParameter
        }
    }

    package var storages: [Storage] = []
    package var tensors: [Tensor] = []
    /// Keys around the dictionary of tensors.
    package var nesting: [String] = []
    /// Further opcodes that push a name and a value for the outermost dictionary.
    package var extra: [UInt8] = []

    package init(storages: [Storage] = [], tensors: [Tensor] = [], nesting: [String] = [], extra: [UInt8] = []) {
        self.storages = storages
        self.tensors = tensors
        self.nesting = nesting
        self.extra = extra
    }

    // MARK: Opcodes

    package static func string(_ text: String) -> [UInt8] {
        [0x58] + SafetensorsBytes.little(UInt32(text.utf8.count)) + Array(text.utf8)
    }

    package static func integer(_ value: Int) -> [UInt8] {
        switch value {
        case 0...255: [0x4b, UInt8(value)]
        case Int(Int32.min)...Int(Int32.max): [0x4a] + SafetensorsBytes.little(Int32(value))
        default: [0x8a, 8] + SafetensorsBytes.little(Int64(value))
        }
    }

    package static func global(_ module: String, _ name: String) -> [UInt8] { Array("c\(module)\n\(name)\n".utf8) }
    package static func tuple(_ items: [[UInt8]]) -> [UInt8] { [0x28] + items.joined() + [0x74] }
    package static func call(_ function: [UInt8], _ arguments: [[UInt8]]) -> [UInt8] {
        function + tuple(arguments) + [0x52]
    }
    package static func dictionary(_ items: [UInt8]) -> [UInt8] { [0x7d, 0x28] + items + [0x75] }
    package static func pickle(_ value: [UInt8]) -> [UInt8] { [0x80, 2] + value + [0x2e] }

    package func storage(_ index: Int, isLegacy: Bool = false) -> [UInt8] {
        let view: [[UInt8]] = isLegacy ? [[0x4e]] : []
        return Self.tuple(
            [
                Self.string("storage"), Self.global("torch", storages[index].type), Self.string("\(index)"),
                Self.string("cpu"), Self.integer(storages[index].count),
            ] + view) + [0x51]
    }

    private func tensor(_ tensor: Tensor, isLegacy: Bool) -> [UInt8] {
        let view = Self.call(
            Self.global("torch._utils", "_rebuild_tensor_v2"),
            [
                storage(tensor.storage, isLegacy: isLegacy), Self.integer(tensor.offset),
                Self.tuple(tensor.shape.map(Self.integer)), Self.tuple(tensor.strides.map(Self.integer)), [0x89],
                Self.call(Self.global("collections", "OrderedDict"), []),
            ])
        guard tensor.isParameter else { return view }
        return Self.call(
            Self.global("torch._utils", "_rebuild_parameter"),
            [view, [0x88], Self.call(Self.global("collections", "OrderedDict"), [])])
    }

    private func value(isLegacy: Bool) -> [UInt8] {
        let items = tensors.flatMap { Self.string($0.name) + tensor($0, isLegacy: isLegacy) }
        var value = Self.call(Self.global("collections", "OrderedDict"), []) + [0x28] + items + [0x75]
        // The attribute that a state dictionary has.
        value += Self.dictionary(Self.string("_metadata") + Self.dictionary([])) + [0x62]
        for key in nesting {
            value = Self.dictionary(Self.string("epoch") + Self.integer(3) + Self.string(key) + value)
        }
        return extra.isEmpty ? value : value + [0x28] + extra + [0x75]
    }

    // MARK: Files

    package var legacy: [UInt8] {
        let magic: [UInt8] = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]
        var result = Self.pickle(magic) + Self.pickle(Self.integer(1001))
        result += Self.pickle(Self.dictionary(Self.string("little_endian") + [0x88]))
        result += Self.pickle(value(isLegacy: true))
        result += Self.pickle([0x5d, 0x28] + storages.indices.flatMap { Self.string("\($0)") } + [0x65])
        for storage in storages { result += SafetensorsBytes.little(Int64(storage.count)) + storage.bytes }
        return result
    }

    package var zip: [UInt8] { Self.zip(pickle: Self.pickle(value(isLegacy: false)), storages: storages.map(\.bytes)) }

    package static func zip(pickle: [UInt8], storages: [[UInt8]] = [], byteOrder: String = "little") -> [UInt8] {
        var entries = [(name: "m/data.pkl", bytes: pickle), ("m/byteorder", Array(byteOrder.utf8))]
        entries += storages.enumerated().map { ("m/data/\($0.offset)", $0.element) }
        return zip(entries)
    }

    /// A zip archive of stored entries, each aligned to 64 bytes, with ZIP64 fields if `isZIP64`.
    package static func zip(
        _ entries: [(name: String, bytes: [UInt8])], method: UInt16 = 0, isZIP64: Bool = false
    ) -> [UInt8] {
        func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] { SafetensorsBytes.little(value) }
        var result: [UInt8] = []
        var directory: [UInt8] = []
        for (name, bytes) in entries {
            let offset = result.count
            let size = UInt32(bytes.count)
            let padding = (64 - (offset + 30 + name.utf8.count + 4) % 64) % 64
            result += little(UInt32(0x0403_4b50)) + little(UInt16(0)) + little(UInt16(0)) + little(method)
            result += [UInt8](repeating: 0, count: 8) + little(size) + little(size)
            result += little(UInt16(name.utf8.count)) + little(UInt16(padding + 4)) + Array(name.utf8)
            result += Array("FB".utf8) + little(UInt16(padding)) + [UInt8](repeating: 0x5a, count: padding) + bytes

            let extra =
                isZIP64
                ? little(UInt16(1)) + little(UInt16(24)) + little(UInt64(size)) + little(UInt64(size))
                    + little(UInt64(offset)) : []
            directory += little(UInt32(0x0201_4b50)) + [UInt8](repeating: 0, count: 6) + little(method)
            directory += [UInt8](repeating: 0, count: 8)
            directory += little(isZIP64 ? .max : size) + little(isZIP64 ? .max : size)
            directory +=
                little(UInt16(name.utf8.count)) + little(UInt16(extra.count)) + [UInt8](repeating: 0, count: 10)
            directory += little(isZIP64 ? .max : UInt32(offset)) + Array(name.utf8) + extra
        }
        let start = result.count
        result += directory
        if isZIP64 {
            let end = result.count
            result += little(UInt32(0x0606_4b50)) + little(UInt64(44)) + [UInt8](repeating: 0, count: 12)
            result += little(UInt64(entries.count)) + little(UInt64(entries.count))
            result += little(UInt64(directory.count)) + little(UInt64(start))
            result += little(UInt32(0x0706_4b50)) + little(UInt32(0)) + little(UInt64(end)) + little(UInt32(1))
        }
        result += little(UInt32(0x0605_4b50)) + little(UInt32(0))
        result += little(UInt16(entries.count)) + little(UInt16(entries.count)) + little(UInt32(directory.count))
        return result + little(isZIP64 ? UInt32.max : UInt32(start)) + little(UInt16(0))
    }
}
