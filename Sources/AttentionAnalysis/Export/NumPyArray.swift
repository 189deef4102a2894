import Foundation

/// NumPy's `.npy` files, version 1.0, 32-bit floats, little-endian, row-major.
package enum NumPyArray {
    /// The bytes before the values; their length is a multiple of 64 as the format wants it.
    package static func header(shape: [Int]) -> Data {
        let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
        var text = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
        text += String(repeating: " ", count: 63 - (10 + text.utf8.count) % 64) + "\n"
        let length = text.utf8.count
        return Data([0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 0xff), UInt8(length >> 8)] + Array(text.utf8))
    }

    /// A whole file.
    package static func data(_ values: [Float], shape: [Int]) -> Data {
        precondition(values.count == shape.reduce(1, *), "the values do not fit the shape")
        var data = header(shape: shape)
        append(values, to: &data)
        return data
    }

    static func append(_ values: some Sequence<Float>, to data: inout Data) {
        for value in values { withUnsafeBytes(of: value.bitPattern.littleEndian) { data.append(contentsOf: $0) } }
    }
}
