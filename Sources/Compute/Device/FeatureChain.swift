import CVulkan

/// The linked feature structures of Vulkan 1.0 to 1.3, and of VK_KHR_cooperative_matrix where the device has it, kept at fixed
/// addresses because they point at one another.
final class FeatureChain {
    let root = UnsafeMutablePointer<VkPhysicalDeviceFeatures2>.allocate(capacity: 1)
    let v11 = UnsafeMutablePointer<VkPhysicalDeviceVulkan11Features>.allocate(capacity: 1)
    let v12 = UnsafeMutablePointer<VkPhysicalDeviceVulkan12Features>.allocate(capacity: 1)
    let v13 = UnsafeMutablePointer<VkPhysicalDeviceVulkan13Features>.allocate(capacity: 1)
    let matrix: UnsafeMutablePointer<fovea_vk_cooperative_matrix_features>?

    init(hasCooperativeMatrix: Bool) {
        root.initialize(to: VkPhysicalDeviceFeatures2())
        v11.initialize(to: VkPhysicalDeviceVulkan11Features())
        v12.initialize(to: VkPhysicalDeviceVulkan12Features())
        v13.initialize(to: VkPhysicalDeviceVulkan13Features())
        root.pointee.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2
        v11.pointee.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES
        v12.pointee.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES
        v13.pointee.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES
        root.pointee.pNext = UnsafeMutableRawPointer(v11)
        v11.pointee.pNext = UnsafeMutableRawPointer(v12)
        v12.pointee.pNext = UnsafeMutableRawPointer(v13)
        matrix = hasCooperativeMatrix ? .allocate(capacity: 1) : nil
        matrix?.initialize(to: fovea_vk_cooperative_matrix_features())
        matrix?.pointee.sType = FOVEA_VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_FEATURES
        v13.pointee.pNext = UnsafeMutableRawPointer(matrix)
    }

    deinit {
        root.deallocate()
        v11.deallocate()
        v12.deallocate()
        v13.deallocate()
        matrix?.deallocate()
    }

    /// Fills the chain with what the device supports.
    func query(_ physicalDevice: VkPhysicalDevice) { vkGetPhysicalDeviceFeatures2(physicalDevice, root) }

    /// `true` when kernels can use cooperative matrices: their shaders are written for Vulkan's memory model and f16 arithmetic.
    var hasUsableMatrices: Bool {
        matrix?.pointee.cooperativeMatrix ?? 0 != 0 && v12.pointee.vulkanMemoryModel != 0
            && v12.pointee.shaderFloat16 != 0
    }

    /// Features the engine requires, by their Vulkan names.
    private var requirements: [(String, VkBool32)] {
        [
            ("shaderInt64", root.pointee.features.shaderInt64),
            ("shaderInt16", root.pointee.features.shaderInt16),
            ("storageBuffer16BitAccess", v11.pointee.storageBuffer16BitAccess),
            ("storageBuffer8BitAccess", v12.pointee.storageBuffer8BitAccess),
            ("shaderInt8", v12.pointee.shaderInt8),
            ("bufferDeviceAddress", v12.pointee.bufferDeviceAddress),
            ("timelineSemaphore", v12.pointee.timelineSemaphore),
            ("scalarBlockLayout", v12.pointee.scalarBlockLayout),
            ("hostQueryReset", v12.pointee.hostQueryReset),
            ("synchronization2", v13.pointee.synchronization2),
            ("subgroupSizeControl", v13.pointee.subgroupSizeControl),
            ("computeFullSubgroups", v13.pointee.computeFullSubgroups),
        ]
    }

    var missingRequirements: [String] { requirements.filter { $0.1 == 0 }.map(\.0) }

    /// A chain that asks for the requirements, and for the optional features that `supported` has.
    static func request(supportedBy supported: FeatureChain) -> FeatureChain {
        let chain = FeatureChain(hasCooperativeMatrix: supported.hasUsableMatrices)
        let yes = VkBool32(VK_TRUE)
        chain.root.pointee.features.shaderInt64 = yes
        chain.root.pointee.features.shaderInt16 = yes
        chain.v11.pointee.storageBuffer16BitAccess = yes
        chain.v12.pointee.storageBuffer8BitAccess = yes
        chain.v12.pointee.shaderInt8 = yes
        chain.v12.pointee.bufferDeviceAddress = yes
        chain.v12.pointee.timelineSemaphore = yes
        chain.v12.pointee.scalarBlockLayout = yes
        chain.v12.pointee.hostQueryReset = yes
        chain.v13.pointee.synchronization2 = yes
        chain.v13.pointee.subgroupSizeControl = yes
        chain.v13.pointee.computeFullSubgroups = yes
        chain.v12.pointee.shaderFloat16 = supported.v12.pointee.shaderFloat16
        chain.v13.pointee.shaderIntegerDotProduct = supported.v13.pointee.shaderIntegerDotProduct
        if supported.hasUsableMatrices {
            chain.matrix?.pointee.cooperativeMatrix = yes
            chain.v12.pointee.vulkanMemoryModel = yes
        }
        chain.v13.pointee.maintenance4 = supported.v13.pointee.maintenance4
        return chain
    }
}
