import Foundation

/// Builds safetensors files by hand, right ones and wrong ones.
package enum SafetensorsBytes {
    package static func file(header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
        let header = Array(header.utf8)
        return little(length ?? UInt64(header.count)) + header + data
    }

    package static func little<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}
