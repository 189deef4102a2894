import Support

/// An error of a Vulkan device or driver.
package enum ComputeError: Error, Sendable, CustomStringConvertible {
    /// A Vulkan call failed for a reason with no better name below.
    case vulkan(operation: String, result: VulkanResult)
    /// The loader found no driver at all.
    case noDriver(detail: String)
    /// There are drivers, but no device that meets the requirements.
    case noSuitableDevice(found: [String])
    /// `--device` named a device that is not there.
    case unknownDevice(selector: String, available: [String])
    /// The device has too little memory left for an allocation.
    case outOfDeviceMemory(purpose: MemoryPurpose, label: String, requested: Int, held: Int, heapSize: Int)
    /// One allocation is larger than the device allows at once.
    case allocationTooLarge(label: String, requested: Int, limit: Int)
    /// The device stopped answering (a driver reset, a watchdog, an unplugged card).
    case deviceLost(operation: String)
    /// The program asks for a shader that was not compiled in: a programmer's error in a kernel selector.
    case unknownShader(name: String)
    /// A submission did not finish in time.
    case timeout(operation: String, seconds: Double)

    package var description: String {
        switch self {
        case .vulkan(let operation, let result):
            "\(operation) failed: \(result)"
        case .noDriver(let detail):
            "no Vulkan driver was found (\(detail)). Install one (Debian: mesa-vulkan-drivers works without a graphics card), and check VK_DRIVER_FILES if it is set."
        case .noSuitableDevice(let found):
            "no Vulkan 1.3 device can run the engine. Found: \(found.isEmpty ? "none" : found.joined(separator: "; "))."
        case .unknownDevice(let selector, let available):
            "no device matches “\(selector)”. Available: \(available.joined(separator: "; ")). Name one by its number or a part of its name."
        case .outOfDeviceMemory(let purpose, let label, let requested, let held, let heapSize):
            "out of device memory: \(label) (\(purpose.rawValue)) needs \(ByteFormat.text(requested)), \(ByteFormat.text(held)) of \(ByteFormat.text(heapSize)) are held by this program. A smaller model, fewer weights bits or a shorter context needs less."
        case .allocationTooLarge(let label, let requested, let limit):
            "\(label) needs \(ByteFormat.text(requested)) in one piece; this device allows \(ByteFormat.text(limit))."
        case .deviceLost(let operation):
            "the device was lost during \(operation). The conversation is kept: the next question, or loading the model, opens the device again. If it happens again, choose another device with --device."
        case .unknownShader(let name):
            "the shader “\(name)” is not part of this build"
        case .timeout(let operation, let seconds):
            "\(operation) did not finish within \(Int(seconds)) s; the device may be hung or very busy"
        }
    }
}
