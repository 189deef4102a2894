import Compute
import Testing

/// One device for all tests of this target, with the validation layer on: opening one costs time.
enum TestDevice {
    static let shared: Result<Device, any Error> = Result { try Device(validation: true) }

    static func open() throws -> Device { try shared.get() }

    /// The same device, taken for one with an instruction for products of bytes.
    static let withPackedDot: Result<Device, any Error> = Result {
        let device = try open()
        var properties = device.properties
        properties.acceleratesPackedDot = true
        return try Device(instance: device.instance, properties: properties)
    }

    /// Fails the test if the validation layer had anything to say since `count` messages.
    static func expectNoValidationMessages(_ device: Device, since count: Int = 0) {
        let messages = device.instance.validationMessages.dropFirst(count)
        #expect(messages.isEmpty, "\(messages.joined(separator: "\n"))")
    }
}
