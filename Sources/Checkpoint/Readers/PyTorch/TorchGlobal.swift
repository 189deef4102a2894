import NumberFormats

/// The Python names that a checkpoint may refer to. Each has a fixed behavior in the `Unpickler`; no name is imported.
enum TorchGlobal: Sendable, Hashable {
    case orderedDictionary
    case rebuildTensor
    case rebuildParameter
    case storage(TorchElementType)

    init?(module: String, name: String) {
        switch (module, name) {
        case ("collections", "OrderedDict"): self = .orderedDictionary
        case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
        case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
        case ("torch", _):
            guard let type = TorchElementType.ofStorage[name] else { return nil }
            self = .storage(type)
        default: return nil
        }
    }
}

/// The element type of a torch storage; `format` is `nil` for those that this program does not decode.
struct TorchElementType: Sendable, Hashable {
    let name: String
    let byteCount: Int
    let format: ElementFormat?

    /// By the name of the storage class.
    static let ofStorage: [String: TorchElementType] = [
        "DoubleStorage": TorchElementType(name: "float64", byteCount: 8, format: .f64),
        "FloatStorage": TorchElementType(name: "float32", byteCount: 4, format: .f32),
        "HalfStorage": TorchElementType(name: "float16", byteCount: 2, format: .f16),
        "BFloat16Storage": TorchElementType(name: "bfloat16", byteCount: 2, format: .bf16),
        "LongStorage": TorchElementType(name: "int64", byteCount: 8, format: .i64),
        "IntStorage": TorchElementType(name: "int32", byteCount: 4, format: .i32),
        "ShortStorage": TorchElementType(name: "int16", byteCount: 2, format: .i16),
        "CharStorage": TorchElementType(name: "int8", byteCount: 1, format: .i8),
        "ByteStorage": TorchElementType(name: "uint8", byteCount: 1, format: .u8),
        "BoolStorage": TorchElementType(name: "bool", byteCount: 1, format: .bool),
        "ComplexFloatStorage": TorchElementType(name: "complex64", byteCount: 8, format: nil),
        "ComplexDoubleStorage": TorchElementType(name: "complex128", byteCount: 16, format: nil),
        "QInt8Storage": TorchElementType(name: "qint8", byteCount: 1, format: nil),
        "QUInt8Storage": TorchElementType(name: "quint8", byteCount: 1, format: nil),
        "QInt32Storage": TorchElementType(name: "qint32", byteCount: 4, format: nil),
    ]
}
