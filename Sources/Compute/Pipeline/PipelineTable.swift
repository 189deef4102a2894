import CVulkan
import Foundation
import Logging
import Synchronization

/// A device's compiled pipelines, made at first use, and their cache on disk. One layout serves every kernel: push
/// constants, and a set of texel views for the kernels that read through them.
final class PipelineTable: @unchecked Sendable {
    // Safety: handles are constant; the table is behind a lock.
    /// Bytes of push constants every kernel may use: what Vulkan guarantees everywhere.
    static let pushConstantBytes = 128

    let layout: VkPipelineLayout
    private let device: VkDevice
    private let properties: DeviceProperties
    private let cache: VkPipelineCache?
    private let cacheFile: URL?
    private struct Handle: @unchecked Sendable { let pipeline: VkPipeline }
    private let table = Mutex<[KernelVariant: Handle]>([:])
    private let logger = Logger(label: "fovea.pipelines")

    init(device: VkDevice, properties: DeviceProperties, views: TexelViews, cacheFolder: URL?) throws(ComputeError) {
        self.device = device
        self.properties = properties
        let uuid = properties.pipelineCacheUUID.map { byte in
            let hex = String(byte, radix: 16)
            return hex.count == 1 ? "0" + hex : hex
        }.joined()
        cacheFile = cacheFolder?.appendingPathComponent("pipelines-\(uuid).bin")

        var range = VkPushConstantRange()
        range.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
        range.size = UInt32(Self.pushConstantBytes)
        var created: VkPipelineLayout?
        var sets: VkDescriptorSetLayout? = views.layout
        let result = withUnsafePointer(to: &range) { range in
            withUnsafePointer(to: &sets) { sets in
                var info = VkPipelineLayoutCreateInfo()
                info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
                info.setLayoutCount = 1
                info.pSetLayouts = sets
                info.pushConstantRangeCount = 1
                info.pPushConstantRanges = range
                return vkCreatePipelineLayout(device, &info, nil, &created)
            }
        }
        try check("vkCreatePipelineLayout", result)
        guard let created else { throw .vulkan(operation: "vkCreatePipelineLayout", result: .initializationFailed) }
        layout = created

        // A stale or damaged cache is refused by the driver, which then starts an empty one.
        let saved = cacheFile.flatMap { try? Data(contentsOf: $0) } ?? Data()
        var createdCache: VkPipelineCache?
        let cacheResult = saved.withUnsafeBytes { bytes in
            var info = VkPipelineCacheCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
            info.initialDataSize = bytes.count
            info.pInitialData = bytes.baseAddress
            return vkCreatePipelineCache(device, &info, nil, &createdCache)
        }
        cache = cacheResult == VK_SUCCESS ? createdCache : nil
    }

    /// The pipeline of a variant, compiled now if it is new.
    func pipeline(for variant: KernelVariant) throws(ComputeError) -> VkPipeline {
        if let known = table.withLock({ $0[variant] }) { return known.pipeline }
        let pipeline = try compile(variant)
        return table.withLock { table in
            // Two threads may have compiled the same variant: the first one stays.
            if let known = table[variant] {
                vkDestroyPipeline(device, pipeline, nil)
                return known
            }
            let handle = Handle(pipeline: pipeline)
            table[variant] = handle
            return handle
        }.pipeline
    }

    private func compile(_ variant: KernelVariant) throws(ComputeError) -> VkPipeline {
        let code = try ShaderLibrary.module(variant.name)
        var moduleInfo = VkShaderModuleCreateInfo()
        moduleInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
        moduleInfo.codeSize = code.byteCount
        moduleInfo.pCode = code.words
        var module: VkShaderModule?
        try check("vkCreateShaderModule (\(variant))", vkCreateShaderModule(device, &moduleInfo, nil, &module))
        defer { vkDestroyShaderModule(device, module, nil) }

        let subgroupSize = UInt32(variant.subgroupSize ?? properties.subgroupSize)
        let constants = [subgroupSize] + variant.constants
        let entries = constants.indices.map {
            VkSpecializationMapEntry(constantID: UInt32($0), offset: UInt32($0 * 4), size: 4)
        }
        var created: VkPipeline?
        let result = constants.withUnsafeBytes { data in
            entries.withUnsafeBufferPointer { entries in
                var specialization = VkSpecializationInfo(
                    mapEntryCount: UInt32(entries.count), pMapEntries: entries.baseAddress, dataSize: data.count,
                    pData: data.baseAddress)
                return withUnsafePointer(to: &specialization) { specialization in
                    "main".withCString { main in
                        var size = VkPipelineShaderStageRequiredSubgroupSizeCreateInfo()
                        size.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO
                        size.requiredSubgroupSize = subgroupSize
                        return withUnsafeMutablePointer(to: &size) { size in
                            var info = VkComputePipelineCreateInfo()
                            info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
                            info.layout = layout
                            info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
                            info.stage.pNext = UnsafeRawPointer(size)
                            info.stage.flags = VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT.rawValue
                            info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
                            info.stage.module = module
                            info.stage.pName = main
                            info.stage.pSpecializationInfo = specialization
                            return vkCreateComputePipelines(device, cache, 1, &info, nil, &created)
                        }
                    }
                }
            }
        }
        try check("vkCreateComputePipelines (\(variant))", result)
        guard let created else {
            throw .vulkan(operation: "vkCreateComputePipelines (\(variant))", result: .initializationFailed)
        }
        return created
    }

    /// The variants compiled so far, for `fovea devices` and the profiler.
    var compiled: [KernelVariant] { table.withLock { Array($0.keys) }.sorted { $0.description < $1.description } }

    /// Writes the driver's cache. A folder that cannot be written is a warning, not a failure: only speed is lost.
    func save() {
        guard let cache, let cacheFile else { return }
        var size = 0
        guard vkGetPipelineCacheData(device, cache, &size, nil) == VK_SUCCESS, size > 0 else { return }
        var data = Data(count: size)
        let result = data.withUnsafeMutableBytes { vkGetPipelineCacheData(device, cache, &size, $0.baseAddress) }
        guard result == VK_SUCCESS else { return }
        do {
            try FileManager.default.createDirectory(
                at: cacheFile.deletingLastPathComponent(), withIntermediateDirectories: true)
            try data.prefix(size).write(to: cacheFile, options: .atomic)
        } catch {
            logger.warning("the pipeline cache could not be written: \(error.localizedDescription)")
        }
    }

    func destroy() {
        table.withLock { table in
            for handle in table.values { vkDestroyPipeline(device, handle.pipeline, nil) }
            table.removeAll()
        }
        if let cache { vkDestroyPipelineCache(device, cache, nil) }
        vkDestroyPipelineLayout(device, layout, nil)
    }
}
