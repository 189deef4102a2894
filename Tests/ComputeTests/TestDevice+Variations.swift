import Compute
import ComputeReference
import Testing

extension TestDevice {
    /// The same device, taken for one with an instruction for products of bytes.
    static let withPackedDot = Result { try variation { $0.acceleratesPackedDot = true } }

    /// The same device, taken for one in whose shared memory slices of 32 columns of the smallest products of matrices just do
    /// not fit.
    static let withLittleSharedMemory = Result {
        try variation { properties in
            guard let shape = properties.cooperativeMatrix else { return }
            properties.maxSharedMemoryBytes = 2 * 3 * 4 * shape.m * 40 + 4 * (4 * shape.m * shape.n + 4 * shape.m) - 1
        }
    }

    static var hasMatrices: Bool { (try? open().properties.cooperativeMatrix) != nil }

    private static func variation(_ change: (inout DeviceProperties) -> Void) throws -> Device {
        let device = try open()
        var properties = device.properties
        change(&properties)
        return try Device(instance: device.instance, properties: properties)
    }

    /// Fails the test if the validation layer had anything to say since `count` messages.
    static func expectNoValidationMessages(_ device: Device, since count: Int = 0) {
        let messages = device.instance.validationMessages.dropFirst(count)
        #expect(messages.isEmpty, "\(messages.joined(separator: "\n"))")
    }
}
