import Testing

/// Lets one test at a time use the device: lavapipe of Mesa 22.3 crashes when one process creates, uses and destroys
/// several devices at once. The program itself opens only one.
private actor DeviceGate {
    static let shared = DeviceGate()
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func enter() async {
        if isTaken {
            await withCheckedContinuation { waiting.append($0) }
        } else {
            isTaken = true
        }
    }

    func leave() {
        if waiting.isEmpty {
            isTaken = false
        } else {
            waiting.removeFirst().resume()
        }
    }
}

/// Marks tests that compute on the device.
package struct DeviceTrait: TestTrait, SuiteTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        // A suite as a whole holds nothing, or its own tests would wait for it forever.
        guard testCase != nil else { return try await function() }
        await DeviceGate.shared.enter()
        do {
            try await function()
        } catch {
            await DeviceGate.shared.leave()
            throw error
        }
        await DeviceGate.shared.leave()
    }
}

extension Trait where Self == DeviceTrait {
    /// The tests use the device, one at a time over all suites.
    package static var usesDevice: Self { DeviceTrait() }
}
