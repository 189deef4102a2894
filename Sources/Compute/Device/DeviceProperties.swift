import CVulkan
import Foundation

/// Kind of hardware, in the order the engine prefers them.
package enum DeviceKind: String, Sendable, Hashable, CaseIterable {
    case discrete, integrated, virtual, other, cpu

    init(_ type: VkPhysicalDeviceType) {
        switch type {
        case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: self = .discrete
        case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: self = .integrated
        case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: self = .virtual
        case VK_PHYSICAL_DEVICE_TYPE_CPU: self = .cpu
        default: self = .other
        }
    }

    /// 0 is preferred most.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? Self.allCases.count }
}

/// One heap of a device's memory.
package struct MemoryHeap: Sendable, Hashable {
    package let bytes: Int
    package let isDeviceLocal: Bool
}

/// The sizes of a product `[m, k]`·`[k, n]` = `[m, n]`.
package struct MatrixShape: Sendable, Hashable {
    package var m, n, k: Int

    package init(m: Int, n: Int, k: Int) {
        self.m = m
        self.n = n
        self.k = k
    }
}

/// Properties and limits of a device: everything kernel selection depends on, as plain data.
package struct DeviceProperties: Sendable, Hashable {
    /// Position in the list the driver gives, for `--device N`.
    package var index = 0
    package var name = ""
    package var kind = DeviceKind.other
    package var vendorID: UInt32 = 0
    package var apiVersion: UInt32 = 0
    package var driverName = ""
    package var driverInfo = ""
    /// Identifies driver and device for caches on disk.
    package var pipelineCacheUUID: [UInt8] = []

    package var subgroupSize = 32
    package var minSubgroupSize = 32
    package var maxSubgroupSize = 32

    package var maxPushConstantBytes = 128
    package var maxSharedMemoryBytes = 16384
    package var maxWorkgroupInvocations = 128
    package var maxWorkgroupCount: [Int] = [65535, 65535, 65535]
    package var maxAllocationBytes = 1 << 30
    package var maxBufferBytes = 1 << 30
    package var maxTexelBufferElements = 65536
    /// Nanoseconds per timestamp tick; 0 where the queue has no timestamps.
    package var timestampPeriod: Double = 0

    /// The largest device-local heap. (Smaller ones may be windows onto it, so they are not added up.)
    package var deviceHeapBytes = 0
    package var hasUnifiedMemory = false
    /// All memory heaps as the driver lists them.
    package var heaps: [MemoryHeap] = []

    package var supportsFloat16 = false
    package var supports16BitStorage = false
    package var supports8BitStorage = false
    /// Has an instruction for the sum of four products of signed bytes.
    package var acceleratesPackedDot = false
    package var supportsMemoryBudget = false
    /// The product of small matrices, f16 into f32, that the device has units for (VK_KHR_cooperative_matrix).
    package var cooperativeMatrix: MatrixShape?
    /// Can import host memory as device memory.
    package var importsHostMemory = false

    /// Kernel profile forced by `FOVEA_KERNELS=coalesced` or `vector`, whatever the device's kind: for testing whole models
    /// with the kernels of GPUs on machines without one. `coalesced,dots` also treats products of bytes as accelerated.
    package var wantedProfile: KernelProfile?

    /// Names of required features the device lacks; empty on a device that can run the engine.
    package var missing: [String] = []

    package init() {}

    package var isCPU: Bool { kind == .cpu }
    /// `true` when large buffers are made of the host's pages.
    var usesHostPages: Bool { isCPU && importsHostMemory }
    package var isSuitable: Bool { missing.isEmpty }

    package var apiVersionText: String {
        "\(fovea_vk_version_major(apiVersion)).\(fovea_vk_version_minor(apiVersion)).\(fovea_vk_version_patch(apiVersion))"
    }

    /// One line for lists and messages.
    package var summary: String { "\(index): \(name) (\(kind.rawValue), Vulkan \(apiVersionText))" }
}

extension DeviceProperties {
    /// Reads a physical device.
    init(physicalDevice: VkPhysicalDevice, index: Int, instance: VkInstance) throws(ComputeError) {
        self.init()
        self.index = index

        var basic = VkPhysicalDeviceProperties()
        vkGetPhysicalDeviceProperties(physicalDevice, &basic)
        name = text(ofCharacters: basic.deviceName)
        kind = DeviceKind(basic.deviceType)
        vendorID = basic.vendorID
        apiVersion = basic.apiVersion
        pipelineCacheUUID = withUnsafeBytes(of: basic.pipelineCacheUUID) { Array($0) }
        readMemory(of: physicalDevice)
        guard apiVersion >= FOVEA_VK_API_VERSION_1_3 else {
            missing = ["Vulkan 1.3 (it offers \(apiVersionText))"]
            return
        }
        readLimits(of: physicalDevice)

        let extensions = try enumerate("vkEnumerateDeviceExtensionProperties", empty: VkExtensionProperties()) {
            vkEnumerateDeviceExtensionProperties(physicalDevice, nil, $0, $1)
        }
        let names = Set(extensions.map { text(ofCharacters: $0.extensionName) })
        supportsMemoryBudget = names.contains(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME)
        let features = FeatureChain(hasCooperativeMatrix: names.contains(FOVEA_VK_COOPERATIVE_MATRIX_EXTENSION_NAME))
        features.query(physicalDevice)
        read(features)
        if features.hasUsableMatrices {
            cooperativeMatrix = try Self.cooperativeMatrix(of: physicalDevice, instance: instance)
        }
        let wanted = ProcessInfo.processInfo.environment["FOVEA_KERNELS"]?.split(separator: ",").map(String.init) ?? []
        wantedProfile = wanted.compactMap(KernelProfile.init(rawValue:)).first
        if wanted.contains("dots") { acceleratesPackedDot = true }
        importsHostMemory = names.contains(VK_EXT_EXTERNAL_MEMORY_HOST_EXTENSION_NAME)
    }

    private mutating func readMemory(of physicalDevice: VkPhysicalDevice) {
        let memory = MemoryTypes(physicalDevice: physicalDevice)
        deviceHeapBytes = memory.deviceHeapBytes
        hasUnifiedMemory = memory.isUnified
        heaps = memory.heaps.map { MemoryHeap(bytes: $0.bytes, isDeviceLocal: $0.isDeviceLocal) }
    }

    private mutating func readLimits(of physicalDevice: VkPhysicalDevice) {
        var v11 = VkPhysicalDeviceVulkan11Properties()
        v11.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_PROPERTIES
        var v12 = VkPhysicalDeviceVulkan12Properties()
        v12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_PROPERTIES
        var v13 = VkPhysicalDeviceVulkan13Properties()
        v13.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_PROPERTIES
        var all = VkPhysicalDeviceProperties2()
        all.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &v11) { p11 in
            withUnsafeMutablePointer(to: &v12) { p12 in
                withUnsafeMutablePointer(to: &v13) { p13 in
                    p11.pointee.pNext = UnsafeMutableRawPointer(p12)
                    p12.pointee.pNext = UnsafeMutableRawPointer(p13)
                    all.pNext = UnsafeMutableRawPointer(p11)
                    vkGetPhysicalDeviceProperties2(physicalDevice, &all)
                }
            }
        }
        driverName = text(ofCharacters: v12.driverName)
        driverInfo = text(ofCharacters: v12.driverInfo)
        subgroupSize = Int(v11.subgroupSize)
        minSubgroupSize = Int(v13.minSubgroupSize)
        maxSubgroupSize = Int(v13.maxSubgroupSize)
        acceleratesPackedDot = v13.integerDotProduct4x8BitPackedSignedAccelerated != 0
        maxAllocationBytes = Int(clamping: v11.maxMemoryAllocationSize)
        maxBufferBytes = Int(clamping: v13.maxBufferSize)

        let limits = all.properties.limits
        maxPushConstantBytes = Int(limits.maxPushConstantsSize)
        maxTexelBufferElements = Int(limits.maxTexelBufferElements)
        maxSharedMemoryBytes = Int(limits.maxComputeSharedMemorySize)
        maxWorkgroupInvocations = Int(limits.maxComputeWorkGroupInvocations)
        let count = limits.maxComputeWorkGroupCount
        maxWorkgroupCount = [Int(count.0), Int(count.1), Int(count.2)]
        timestampPeriod = limits.timestampComputeAndGraphics != 0 ? Double(limits.timestampPeriod) : 0
    }

    private mutating func read(_ features: FeatureChain) {
        missing = features.missingRequirements
        supportsFloat16 = features.v12.pointee.shaderFloat16 != 0
        supports16BitStorage = features.v11.pointee.storageBuffer16BitAccess != 0
        supports8BitStorage = features.v12.pointee.storageBuffer8BitAccess != 0
    }

    /// The largest of the device's products of f16 matrices into f32 ones by a subgroup.
    private static func cooperativeMatrix(of device: VkPhysicalDevice, instance: VkInstance) throws(ComputeError)
        -> MatrixShape?
    {
        var empty = fovea_vk_cooperative_matrix_properties()
        empty.sType = FOVEA_VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES
        let offered = try enumerate("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", empty: empty) {
            fovea_vk_cooperative_matrices(instance, device, $0, $1)
        }
        return offered.filter {
            $0.scope == FOVEA_VK_SCOPE_SUBGROUP && $0.AType == FOVEA_VK_COMPONENT_FLOAT16
                && $0.BType == FOVEA_VK_COMPONENT_FLOAT16
                && $0.CType == FOVEA_VK_COMPONENT_FLOAT32 && $0.ResultType == FOVEA_VK_COMPONENT_FLOAT32
        }
        .map { MatrixShape(m: Int($0.MSize), n: Int($0.NSize), k: Int($0.KSize)) }
        .max { $0.m * $0.n * $0.k < $1.m * $1.n * $1.k }
    }
}
