import Compute

/// What this device can do at most, measured with kernels that do nothing else.
struct DeviceCeilings: Codable, Hashable {
    /// Bytes a second when memory is only read.
    var readBytesPerSecond: Double
    /// Bytes a second when memory is copied, read and written bytes both counted.
    var copyBytesPerSecond: Double
    /// f32 operations a second, a multiply-add counted as two.
    var operationsPerSecond: Double

    /// Takes a second or two.
    static func measure(on device: Device) throws -> DeviceCeilings {
        let rates = try CommandStream(device: device).measureRates()
        return DeviceCeilings(
            readBytesPerSecond: rates.readBytesPerSecond, copyBytesPerSecond: rates.copyBytesPerSecond,
            operationsPerSecond: rates.multiplyAddOperationsPerSecond)
    }
}
