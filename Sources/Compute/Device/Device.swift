import CVulkan
import Foundation
import Logging
import Support
import Synchronization

/// An opened logical device with one compute queue.
package final class Device: @unchecked Sendable {
    // Safety: handles are written once in `init`; queue submission and the pipeline table are behind locks.
    package let properties: DeviceProperties
    /// The ledger of all memory allocated from this device.
    package let ledger = MemoryLedger()
    package let instance: Instance

    let handle: VkDevice
    let physicalDevice: VkPhysicalDevice
    let memoryTypes: MemoryTypes
    let queueFamily: UInt32
    let queue: VkQueue
    let timestampBits: UInt32
    let queueLock = Mutex(())
    let views: TexelViews
    let pipelines: PipelineTable
    let logger = Logger(label: "fovea.compute")
    private let lost = Atomic(false)

    /// Opens a device.
    /// - Parameters:
    ///   - selector: a device number or part of a name; `nil` takes the best suitable one.
    ///   - pipelineCacheFolder: where compiled pipelines are kept between runs; `nil` keeps none.
    package convenience init(
        selector: String? = nil, validation: Bool? = nil, pipelineCacheFolder: URL? = nil
    ) throws(ComputeError) {
        let instance: Instance
        if let validation { instance = try Instance(validation: validation) } else { instance = try Instance() }
        let chosen = try Instance.choose(selector, from: instance.devices())
        try self.init(instance: instance, properties: chosen, pipelineCacheFolder: pipelineCacheFolder)
    }

    /// Opens the device that `properties` describes.
    package init(instance: Instance, properties: DeviceProperties, pipelineCacheFolder: URL? = nil) throws(ComputeError)
    {
        self.instance = instance
        self.properties = properties
        let physicalDevices = try instance.physicalDevices()
        guard physicalDevices.indices.contains(properties.index) else {
            throw .unknownDevice(selector: "\(properties.index)", available: [])
        }
        physicalDevice = physicalDevices[properties.index]
        memoryTypes = MemoryTypes(physicalDevice: physicalDevice)

        let family = try Self.computeFamily(of: physicalDevice, name: properties.name)
        queueFamily = family.index
        timestampBits = family.timestampBits

        let supported = FeatureChain(hasCooperativeMatrix: properties.cooperativeMatrix != nil)
        supported.query(physicalDevice)
        let features = FeatureChain.request(supportedBy: supported)
        var extensions = properties.supportsMemoryBudget ? [VK_EXT_MEMORY_BUDGET_EXTENSION_NAME] : []
        if properties.usesHostPages { extensions.append(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME) }
        if properties.cooperativeMatrix != nil { extensions.append(FOVEA_VK_COOPERATIVE_MATRIX_EXTENSION_NAME) }
        let familyIndex = queueFamily
        let physical = physicalDevice
        var created: VkDevice?
        let result = withCStrings(extensions) { extensionNames in
            var priority: Float = 1
            return withUnsafePointer(to: &priority) { priority in
                var queueInfo = VkDeviceQueueCreateInfo()
                queueInfo.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
                queueInfo.queueFamilyIndex = familyIndex
                queueInfo.queueCount = 1
                queueInfo.pQueuePriorities = priority
                return withUnsafePointer(to: &queueInfo) { queueInfo in
                    var info = VkDeviceCreateInfo()
                    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
                    info.pNext = UnsafeRawPointer(features.root)
                    info.queueCreateInfoCount = 1
                    info.pQueueCreateInfos = queueInfo
                    info.enabledExtensionCount = UInt32(extensionNames.count)
                    info.ppEnabledExtensionNames = extensionNames.baseAddress
                    return vkCreateDevice(physical, &info, nil, &created)
                }
            }
        }
        try check("vkCreateDevice (\(properties.name))", result)
        var createdQueue: VkQueue?
        vkGetDeviceQueue(created, queueFamily, 0, &createdQueue)
        guard let created, let createdQueue else {
            throw .vulkan(operation: "vkCreateDevice", result: .initializationFailed)
        }
        handle = created
        queue = createdQueue
        views = try TexelViews(device: created)
        pipelines = try PipelineTable(
            device: created, properties: properties, views: views, cacheFolder: pipelineCacheFolder)
    }

    deinit {
        if !isLost { vkDeviceWaitIdle(handle) }
        pipelines.destroy()
        views.destroy()
        vkDestroyDevice(handle, nil)
    }

    private static func computeFamily(
        of device: VkPhysicalDevice, name: String
    ) throws(ComputeError) -> (index: UInt32, timestampBits: UInt32) {
        var count: UInt32 = 0
        vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nil)
        var families = [VkQueueFamilyProperties](repeating: VkQueueFamilyProperties(), count: Int(count))
        vkGetPhysicalDeviceQueueFamilyProperties(device, &count, &families)
        guard let index = families.firstIndex(where: { $0.queueFlags & VK_QUEUE_COMPUTE_BIT.rawValue != 0 }) else {
            throw .noSuitableDevice(found: ["\(name) has no compute queue"])
        }
        return (UInt32(index), families[index].timestampValidBits)
    }

    /// True once the device has stopped answering. Nothing runs on it anymore; what it holds may still be freed.
    package var isLost: Bool { lost.load(ordering: .acquiring) }

    /// Turns the result of a call that runs work into a typed error, and remembers a lost device.
    @discardableResult
    func checkForLoss(_ operation: String, _ result: VkResult) throws(ComputeError) -> VulkanResult {
        if VulkanResult(result) == .deviceLost { lost.store(true, ordering: .releasing) }
        return try check(operation, result)
    }

    /// - Throws: `ComputeError.deviceLost` for a lost device.
    func requireAlive(_ operation: String) throws(ComputeError) {
        if isLost { throw .deviceLost(operation: operation) }
    }

    #if DEBUG
        /// Loses the device where the plan of faults says so. Running work ends first, as a lost device runs none.
        func injectLoss(at site: FaultPlan.Site, operation: String) throws(ComputeError) {
            guard FaultPlan.current.next(site) != nil else { return }
            queueLock.withLock { _ in
                vkQueueWaitIdle(queue)
                lost.store(true, ordering: .releasing)
            }
            try checkForLoss(operation, VK_ERROR_DEVICE_LOST)
        }
    #endif

    /// Writes compiled pipelines to disk, so that the next start need not compile them again.
    package func savePipelineCache() { if !isLost { pipelines.save() } }

    /// The driver's figures for the device's main memory heap: bytes this process uses and bytes it may use.
    /// `nil` where the driver does not report them (VK_EXT_memory_budget).
    package func memoryBudget() -> (usage: Int, budget: Int)? {
        guard properties.supportsMemoryBudget, let heap = memoryTypes.deviceHeap else { return nil }
        var budget = VkPhysicalDeviceMemoryBudgetPropertiesEXT()
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT
        var memory = VkPhysicalDeviceMemoryProperties2()
        memory.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        withUnsafeMutablePointer(to: &budget) {
            memory.pNext = UnsafeMutableRawPointer($0)
            vkGetPhysicalDeviceMemoryProperties2(physicalDevice, &memory)
        }
        let usage = withUnsafeBytes(of: budget.heapUsage) { $0.bindMemory(to: VkDeviceSize.self)[heap] }
        let limit = withUnsafeBytes(of: budget.heapBudget) { $0.bindMemory(to: VkDeviceSize.self)[heap] }
        return (Int(clamping: usage), Int(clamping: limit))
    }
}
