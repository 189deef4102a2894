/// The opcodes of Python's pickle format that an `Unpickler` runs: those of torch/_weights_only_unpickler.py.
enum Opcode: UInt8 {
    case mark = 0x28
    case emptyTuple = 0x29
    case stop = 0x2e
    case binFloat = 0x47
    case binInt = 0x4a
    case binInt1 = 0x4b
    case binInt2 = 0x4d
    case none = 0x4e
    case binPersistentID = 0x51
    case reduce = 0x52
    case shortBinString = 0x55
    case binUnicode = 0x58
    case emptyList = 0x5d
    case append = 0x61
    case build = 0x62
    case global = 0x63
    case appends = 0x65
    case binGet = 0x68
    case longBinGet = 0x6a
    case binPut = 0x71
    case longBinPut = 0x72
    case setItem = 0x73
    case tuple = 0x74
    case setItems = 0x75
    case emptyDictionary = 0x7d
    case proto = 0x80
    case newObject = 0x81
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case newTrue = 0x88
    case newFalse = 0x89
    case long1 = 0x8a
    case emptySet = 0x8f

    /// The name in Python's pickletools of an opcode that is refused.
    static func refusedName(_ code: UInt8) -> String {
        refused[code] ?? "0x" + String(code, radix: 16)
    }

    private static let refused: [UInt8: String] = [
        0x30: "POP", 0x31: "POP_MARK", 0x32: "DUP", 0x42: "BINBYTES", 0x43: "SHORT_BINBYTES", 0x46: "FLOAT",
        0x49: "INT", 0x4c: "LONG", 0x50: "PERSID", 0x53: "STRING", 0x54: "BINSTRING", 0x56: "UNICODE", 0x64: "DICT",
        0x67: "GET", 0x69: "INST", 0x6c: "LIST", 0x6f: "OBJ", 0x70: "PUT", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
        0x8b: "LONG4", 0x8c: "SHORT_BINUNICODE", 0x8d: "BINUNICODE8", 0x8e: "BINBYTES8", 0x90: "ADDITEMS",
        0x91: "FROZENSET", 0x92: "NEWOBJ_EX", 0x93: "STACK_GLOBAL", 0x94: "MEMOIZE", 0x95: "FRAME",
        0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
    ]
}
