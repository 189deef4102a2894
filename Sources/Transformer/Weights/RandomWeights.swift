import Checkpoint
import Compute
import NumberFormats
import Foundation

extension WeightLoader {
    /// Gives a parameter random values on the device; nothing of it is ever in host memory but what is small. Matrices
    /// have the spread with which layers are initialized (values within ±√(3 / inputs)), scales of norms are 1.
    ///
    /// - Parameter seed: differs from parameter to parameter.
    func fillRandom(_ parameter: Parameter, in buffer: Buffer, seed: UInt32, writer: DeviceWriter) throws {
        if parameter.isMatrix {
            parameter.buffer = buffer
            let exponent = Int(log2((3 / Double(max(parameter.columns, 1))).squareRoot()).rounded())
            for (index, part) in parameter.matrices.enumerated() {
                try writer.issue {
                    try $0.fillRandom(part.matrix, exponent: exponent, seed: seed &+ UInt32(index) &* 0x9e37_79b9)
                }
            }
            return
        }
        for (part, offset) in zip(parameter.parts, parameter.partOffsets) {
            let count = part.shape.reduce(1, *)
            if part.isOptional {
                let values = parameter.substitute?() ?? [Float](repeating: 0, count: count)
                try values.withUnsafeBytes { try writer.write($0, to: buffer, at: offset) }
            } else if part.shape.count == 1 {
                let value: Float = part.key.hasSuffix("weight") ? 1 : 0
                try [Float](repeating: value, count: count).withUnsafeBytes {
                    try writer.write($0, to: buffer, at: offset)
                }
            } else {
                // A table: rows of a thousand as a matrix, what is left stays zero.
                let columns = 1024
                if count >= columns {
                    let matrix = WeightMatrix(
                        buffer: buffer, byteOffset: offset, rows: count / columns, columns: columns, format: .f32)
                    try writer.issue { try $0.fillRandom(matrix, exponent: Self.tableExponent, seed: seed) }
                } else {
                    let values = randomFloats(count: count, exponent: Self.tableExponent, seed: seed)
                    try values.withUnsafeBytes { try writer.write($0, to: buffer, at: offset) }
                }
            }
        }
    }

    /// Tables of positions lie within ±2^-6.
    private static let tableExponent = -6
}
