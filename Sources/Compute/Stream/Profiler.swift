import CVulkan

/// Device time of one dispatch.
package struct KernelTiming: Sendable {
    package let label: String
    package let variant: KernelVariant
    package let seconds: Double
    /// Floating-point operations the dispatch was said to do; 0 when unknown.
    package let operations: Double
}

/// Times dispatches by GPU timestamps written before and after each.
final class Profiler {
    private static let capacity = 1024

    private let device: Device
    private let pool: VkQueryPool
    private var entries: [(label: String, variant: KernelVariant, operations: Double)] = []

    init(device: Device) throws(ComputeError) {
        self.device = device
        var info = VkQueryPoolCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_QUERY_POOL_CREATE_INFO
        info.queryType = VK_QUERY_TYPE_TIMESTAMP
        info.queryCount = UInt32(Self.capacity * 2)
        var created: VkQueryPool?
        try check("vkCreateQueryPool", vkCreateQueryPool(device.handle, &info, nil, &created))
        guard let created else { throw .vulkan(operation: "vkCreateQueryPool", result: .initializationFailed) }
        pool = created
        vkResetQueryPool(device.handle, pool, 0, UInt32(Self.capacity * 2))
    }

    deinit { vkDestroyQueryPool(device.handle, pool, nil) }

    var isFull: Bool { entries.count >= Self.capacity }

    /// Reserves a pair of timestamps; `nil` when there is no room left before the next collection.
    func begin(label: String, variant: KernelVariant, operations: Double) -> Int? {
        guard device.properties.timestampPeriod > 0, device.timestampBits > 0, !isFull else { return nil }
        entries.append((label, variant, operations))
        return entries.count - 1
    }

    func writeStart(_ index: Int, _ commands: VkCommandBuffer) {
        vkCmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, pool, UInt32(index * 2))
    }

    func writeEnd(_ index: Int, _ commands: VkCommandBuffer) {
        vkCmdWriteTimestamp2(commands, VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT, pool, UInt32(index * 2 + 1))
    }

    /// Reads all timestamps; the work must be done.
    func collect(into timings: inout [KernelTiming]) throws(ComputeError) {
        guard !entries.isEmpty else { return }
        var ticks = [UInt64](repeating: 0, count: entries.count * 2)
        let flags = VK_QUERY_RESULT_64_BIT.rawValue | VK_QUERY_RESULT_WAIT_BIT.rawValue
        try check(
            "vkGetQueryPoolResults",
            vkGetQueryPoolResults(device.handle, pool, 0, UInt32(ticks.count), ticks.count * 8, &ticks, 8, flags))
        for (index, entry) in entries.enumerated() {
            let difference = ticks[index * 2 + 1] &- ticks[index * 2]
            timings.append(
                KernelTiming(
                    label: entry.label, variant: entry.variant,
                    seconds: Double(difference) * device.properties.timestampPeriod * 1e-9,
                    operations: entry.operations))
        }
    }
}
