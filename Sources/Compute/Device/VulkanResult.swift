import CVulkan

/// A `VkResult` with a name; wraps the raw code as `Errno` wraps a C error number.
package struct VulkanResult: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    init(_ result: VkResult) { rawValue = result.rawValue }

    package static let success = VulkanResult(VK_SUCCESS)
    package static let timeout = VulkanResult(VK_TIMEOUT)
    package static let incomplete = VulkanResult(VK_INCOMPLETE)
    package static let outOfHostMemory = VulkanResult(VK_ERROR_OUT_OF_HOST_MEMORY)
    package static let outOfDeviceMemory = VulkanResult(VK_ERROR_OUT_OF_DEVICE_MEMORY)
    package static let deviceLost = VulkanResult(VK_ERROR_DEVICE_LOST)
    package static let incompatibleDriver = VulkanResult(VK_ERROR_INCOMPATIBLE_DRIVER)
    package static let initializationFailed = VulkanResult(VK_ERROR_INITIALIZATION_FAILED)
    package static let layerNotPresent = VulkanResult(VK_ERROR_LAYER_NOT_PRESENT)
    package static let extensionNotPresent = VulkanResult(VK_ERROR_EXTENSION_NOT_PRESENT)
    package static let featureNotPresent = VulkanResult(VK_ERROR_FEATURE_NOT_PRESENT)
    package static let tooManyObjects = VulkanResult(VK_ERROR_TOO_MANY_OBJECTS)
    package static let memoryMapFailed = VulkanResult(VK_ERROR_MEMORY_MAP_FAILED)

    private static let names: [VulkanResult: String] = [
        .success: "success", .timeout: "timeout", .incomplete: "incomplete", .outOfHostMemory: "out of host memory",
        .outOfDeviceMemory: "out of device memory", .deviceLost: "device lost",
        .incompatibleDriver: "incompatible driver",
        .initializationFailed: "initialization failed", .layerNotPresent: "layer not present",
        .extensionNotPresent: "extension not present", .featureNotPresent: "feature not present",
        .tooManyObjects: "too many objects", .memoryMapFailed: "memory map failed",
    ]

    package var description: String { "\(Self.names[self] ?? "Vulkan error") (VkResult \(rawValue))" }
}

/// Runs a Vulkan call and turns a failure into a typed error that names the operation.
@discardableResult
func check(_ operation: String, _ result: VkResult) throws(ComputeError) -> VulkanResult {
    let result = VulkanResult(result)
    if result.rawValue >= 0 { return result }
    if result == .deviceLost { throw .deviceLost(operation: operation) }
    throw .vulkan(operation: operation, result: result)
}

/// Calls one of Vulkan's two-call enumerations and returns its elements.
func enumerate<Element>(
    _ operation: String, empty: Element,
    _ body: (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<Element>?) -> VkResult
) throws(ComputeError) -> [Element] {
    // The list may grow between the two calls: the driver then answers "incomplete" and is asked again.
    while true {
        var count: UInt32 = 0
        try check(operation, body(&count, nil))
        if count == 0 { return [] }
        var elements = [Element](repeating: empty, count: Int(count))
        let result = VulkanResult(elements.withUnsafeMutableBufferPointer { body(&count, $0.baseAddress) })
        if result == .incomplete { continue }
        if result.rawValue < 0 { throw .vulkan(operation: operation, result: result) }
        return Array(elements.prefix(Int(count)))
    }
}

/// The text of a fixed-size C character array, up to its NUL.
func text<Tuple>(ofCharacters tuple: Tuple) -> String {
    withUnsafeBytes(of: tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
