import CVulkan

/// Writes commands into one Vulkan command buffer, with the barriers they need.
struct CommandRecorder {
    let commands: VkCommandBuffer
    private let layout: VkPipelineLayout
    private var hazards = HazardTracker()
    private var bound: VkPipeline?
    private var boundViews: VkDescriptorSet?
    /// Buffers the recorded commands use; kept alive until the device is done with them.
    private(set) var buffers: [ObjectIdentifier: Buffer] = [:]
    private(set) var dispatchCount = 0

    init(commands: VkCommandBuffer, layout: VkPipelineLayout) {
        self.commands = commands
        self.layout = layout
    }

    mutating func dispatch(
        _ pipeline: VkPipeline, groups: (x: Int, y: Int, z: Int), push: UnsafeRawBufferPointer, views: VkDescriptorSet?,
        reads: [MemoryRange],
        writes: [MemoryRange]
    ) {
        order(reads: reads, writes: writes)
        if bound != pipeline {
            vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline)
            bound = pipeline
        }
        if let views, views != boundViews {
            var set: VkDescriptorSet? = views
            vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, layout, 0, 1, &set, 0, nil)
            boundViews = views
        }
        vkCmdPushConstants(
            commands, layout, VK_SHADER_STAGE_COMPUTE_BIT.rawValue, 0, UInt32(push.count), push.baseAddress)
        vkCmdDispatch(commands, UInt32(groups.x), UInt32(groups.y), UInt32(groups.z))
        dispatchCount += 1
    }

    mutating func fill(_ range: MemoryRange, with value: UInt32) {
        order(reads: [], writes: [range])
        vkCmdFillBuffer(
            commands, range.buffer.handle, range.start - range.buffer.address, (range.end - range.start) & ~3, value)
    }

    mutating func copy(from source: MemoryRange, to destination: MemoryRange) {
        precondition(
            source.end - source.start == destination.end - destination.start, "copy between ranges of different sizes")
        order(reads: [source], writes: [destination])
        var region = VkBufferCopy(
            srcOffset: source.start - source.buffer.address, dstOffset: destination.start - destination.buffer.address,
            size: source.end - source.start)
        vkCmdCopyBuffer(commands, source.buffer.handle, destination.buffer.handle, 1, &region)
    }

    /// Puts a barrier before the next command if it conflicts with what came before.
    private mutating func order(reads: [MemoryRange], writes: [MemoryRange]) {
        for range in reads { buffers[ObjectIdentifier(range.buffer)] = range.buffer }
        for range in writes { buffers[ObjectIdentifier(range.buffer)] = range.buffer }
        let barrier = hazards.barrier(reads: reads, writes: writes)
        guard barrier.isNeeded else { return }
        var source: VkAccessFlags2 = 0
        var destination: VkAccessFlags2 = 0
        if barrier.readAfterWrite || barrier.writeAfterWrite {
            source |= Self.write
            destination |= Self.read | Self.write
        }
        memoryBarrier(
            sourceStage: Self.work, sourceAccess: source, destinationStage: Self.work, destinationAccess: destination)
    }

    /// Makes everything written so far readable by the host once the submission is done.
    func releaseToHost() {
        memoryBarrier(
            sourceStage: Self.work, sourceAccess: Self.write, destinationStage: VK_PIPELINE_STAGE_2_HOST_BIT,
            destinationAccess: VK_ACCESS_2_HOST_READ_BIT)
    }

    private static let work = VK_PIPELINE_STAGE_2_COMPUTE_SHADER_BIT | VK_PIPELINE_STAGE_2_ALL_TRANSFER_BIT
    private static let read = VK_ACCESS_2_SHADER_READ_BIT | VK_ACCESS_2_TRANSFER_READ_BIT
    private static let write = VK_ACCESS_2_SHADER_WRITE_BIT | VK_ACCESS_2_TRANSFER_WRITE_BIT

    private func memoryBarrier(
        sourceStage: VkPipelineStageFlags2, sourceAccess: VkAccessFlags2, destinationStage: VkPipelineStageFlags2,
        destinationAccess: VkAccessFlags2
    ) {
        var barrier = VkMemoryBarrier2()
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER_2
        barrier.srcStageMask = sourceStage
        barrier.srcAccessMask = sourceAccess
        barrier.dstStageMask = destinationStage
        barrier.dstAccessMask = destinationAccess
        withUnsafePointer(to: &barrier) { barrier in
            var dependency = VkDependencyInfo()
            dependency.sType = VK_STRUCTURE_TYPE_DEPENDENCY_INFO
            dependency.memoryBarrierCount = 1
            dependency.pMemoryBarriers = barrier
            vkCmdPipelineBarrier2(commands, &dependency)
        }
    }
}
