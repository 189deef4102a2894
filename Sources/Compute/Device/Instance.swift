import CVulkan
import Foundation
import Logging
import Synchronization

/// The Vulkan instance: the loader, the list of devices and, where asked for, the validation layer.
package final class Instance: @unchecked Sendable {
    // Safety: the handles are written once in `init`; Vulkan instances may be used from any thread.
    let handle: VkInstance
    private let messenger: VkDebugUtilsMessengerEXT?
    private let messages: MessageLog

    /// Warnings and errors of the validation layer, newest last. Empty when the layer is off.
    package var validationMessages: [String] { messages.all }
    /// `true` when the validation layer is on.
    package let isValidating: Bool

    /// - Parameter validation: turns on the Khronos validation layer where it is installed
    ///   (also by setting FOVEA_VALIDATION=1).
    /// - Throws: `ComputeError.noDriver` when the loader finds none.
    package init(validation: Bool = ProcessInfo.processInfo.environment["FOVEA_VALIDATION"] == "1") throws(ComputeError)
    {
        let layer = "VK_LAYER_KHRONOS_validation"
        let layers = try enumerate("vkEnumerateInstanceLayerProperties", empty: VkLayerProperties()) {
            vkEnumerateInstanceLayerProperties($0, $1)
        }
        let validates = validation && layers.contains { text(ofCharacters: $0.layerName) == layer }
        if validation && !validates {
            Logger(label: "fovea.compute").warning(
                "the Vulkan validation layer is not installed (Debian: vulkan-validationlayers)")
        }
        isValidating = validates
        messages = MessageLog()

        var application = VkApplicationInfo()
        application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
        application.apiVersion = FOVEA_VK_API_VERSION_1_3
        var debug = VkDebugUtilsMessengerCreateInfoEXT()
        debug.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT
        debug.messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT.rawValue
        debug.messageType =
            VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT.rawValue
        debug.pfnUserCallback = { _, _, data, user in
            if let user, let message = data?.pointee.pMessage {
                Unmanaged<MessageLog>.fromOpaque(user).takeUnretainedValue().append(String(cString: message))
            }
            return VkBool32(VK_FALSE)
        }
        debug.pUserData = Unmanaged.passUnretained(messages).toOpaque()

        var created: VkInstance?
        let names = validates ? [layer] : []
        let extensions = validates ? [VK_EXT_DEBUG_UTILS_EXTENSION_NAME] : []
        let result = withCStrings(names) { layerNames in
            withCStrings(extensions) { extensionNames in
                withUnsafePointer(to: &application) { application in
                    withUnsafePointer(to: &debug) { debug in
                        var info = VkInstanceCreateInfo()
                        info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
                        info.pNext = validates ? UnsafeRawPointer(debug) : nil
                        info.pApplicationInfo = application
                        info.enabledLayerCount = UInt32(layerNames.count)
                        info.ppEnabledLayerNames = layerNames.baseAddress
                        info.enabledExtensionCount = UInt32(extensionNames.count)
                        info.ppEnabledExtensionNames = extensionNames.baseAddress
                        return VulkanResult(vkCreateInstance(&info, nil, &created))
                    }
                }
            }
        }
        guard result == .success, let instance = created else {
            if result == .incompatibleDriver || result == .initializationFailed { throw .noDriver(detail: "\(result)") }
            throw .vulkan(operation: "vkCreateInstance", result: result)
        }
        handle = instance

        var newMessenger: VkDebugUtilsMessengerEXT?
        if validates, let raw = vkGetInstanceProcAddr(instance, "vkCreateDebugUtilsMessengerEXT") {
            let create = unsafeBitCast(raw, to: PFN_vkCreateDebugUtilsMessengerEXT.self)
            _ = create(instance, &debug, nil, &newMessenger)
        }
        messenger = newMessenger
    }

    deinit {
        if let messenger, let raw = vkGetInstanceProcAddr(handle, "vkDestroyDebugUtilsMessengerEXT") {
            unsafeBitCast(raw, to: PFN_vkDestroyDebugUtilsMessengerEXT.self)(handle, messenger, nil)
        }
        vkDestroyInstance(handle, nil)
    }

    /// All devices, in the driver's order, suitable or not.
    package func devices() throws(ComputeError) -> [DeviceProperties] {
        var properties: [DeviceProperties] = []
        for (index, device) in try physicalDevices().enumerated() {
            properties.append(try DeviceProperties(physicalDevice: device, index: index, instance: handle))
        }
        return properties
    }

    func physicalDevices() throws(ComputeError) -> [VkPhysicalDevice] {
        try enumerate("vkEnumeratePhysicalDevices", empty: VkPhysicalDevice?.none) {
            vkEnumeratePhysicalDevices(self.handle, $0, $1)
        }.compactMap { $0 }
    }

    /// Chooses a device: the one `selector` names (a number, or part of a name), else discrete before integrated
    /// before virtual before CPU.
    package static func choose(_ selector: String?, from devices: [DeviceProperties]) throws(ComputeError)
        -> DeviceProperties
    {
        if devices.isEmpty { throw .noDriver(detail: "the loader lists no device") }
        let suitable = devices.filter(\.isSuitable)
        if let selector, !selector.isEmpty {
            let wanted = selector.lowercased()
            let match =
                devices.first { String($0.index) == wanted } ?? devices.first { $0.name.lowercased().contains(wanted) }
                ?? devices.first { $0.kind.rawValue == wanted }
            guard let match else { throw .unknownDevice(selector: selector, available: devices.map(\.summary)) }
            guard match.isSuitable else {
                throw .noSuitableDevice(found: ["\(match.summary) lacks \(match.missing.joined(separator: ", "))"])
            }
            return match
        }
        guard let best = suitable.min(by: { ($0.kind.rank, $0.index) < ($1.kind.rank, $1.index) }) else {
            throw .noSuitableDevice(found: devices.map { "\($0.summary) lacks \($0.missing.joined(separator: ", "))" })
        }
        return best
    }
}

/// Messages of the validation layer, written by a C callback on any thread.
final class MessageLog: Sendable {
    private let messages = Mutex<[String]>([])
    func append(_ message: String) { messages.withLock { $0.append(message) } }
    var all: [String] { messages.withLock { $0 } }
}

/// Calls `body` with C copies of strings that live for the call.
func withCStrings<Result>(_ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result) -> Result
{
    let copies = strings.map { strdup($0) }
    defer { copies.forEach { free($0) } }
    let pointers = copies.map { UnsafePointer<CChar>($0) }
    return pointers.withUnsafeBufferPointer(body)
}
