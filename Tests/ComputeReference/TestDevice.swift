import Compute

/// One device for the tests of a process, with the validation layer on: opening one costs time.
package enum TestDevice {
    private static let shared: Result<Device, any Error> = Result { try Device(validation: true) }

    package static func open() throws -> Device { try shared.get() }
}
