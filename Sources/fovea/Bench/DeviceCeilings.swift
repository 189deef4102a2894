import Compute

/// Measured ceilings of the device, by kernels that do nothing else.
struct DeviceCeilings: Codable, Hashable {
    /// Bytes a second when memory is only read.
    var readBytesPerSecond: Double
    /// Bytes a second when memory is copied, read and written bytes both counted.
    var copyBytesPerSecond: Double
    /// f32 operations a second, a multiply-add counted as two.
    var operationsPerSecond: Double
    /// Operations a second in products of f16 matrices into f32 ones, on a device whose kernels use them. Kernels as exact as
    /// f32 take two such products for one with f16 weights, three with others.
    var matrixOperationsPerSecond: Double?

    /// Takes a second or two.
    static func measure(on device: Device) throws -> DeviceCeilings {
        let rates = try CommandStream(device: device).measureRates()
        return DeviceCeilings(
            readBytesPerSecond: rates.readBytesPerSecond, copyBytesPerSecond: rates.copyBytesPerSecond,
            operationsPerSecond: rates.multiplyAddOperationsPerSecond,
            matrixOperationsPerSecond: rates.matrixOperationsPerSecond)
    }
}
