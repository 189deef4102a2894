import CVulkan
import Synchronization

/// Buffers as texel buffers of 16-byte texels: the descriptor sets that kernels of `LoadPath.texel` read through.
///
/// A set holds the views of up to four buffers. Sets are kept for as long as all their buffers live: a decode step uses a
/// handful of them again and again.
final class TexelViews: @unchecked Sendable {
    // Safety: handles are constant; the table and the pools are behind a lock.
    /// Bindings of a set. A kernel may use fewer; the rest repeat its first.
    static let bindings = 4
    /// Bytes of a texel (four 32-bit words).
    static let texelBytes = 16

    let layout: VkDescriptorSetLayout
    private let device: VkDevice
    private static let setsPerPool = 64

    private struct Entry: @unchecked Sendable {
        let set: VkDescriptorSet
        let pool: VkDescriptorPool
    }
    private struct State: @unchecked Sendable {
        var pools: [VkDescriptorPool] = []
        var sets: [[VkBufferView]: Entry] = [:]
    }
    private let state = Mutex(State())

    init(device: VkDevice) throws(ComputeError) {
        self.device = device
        let entries = (0..<Self.bindings).map { index in
            VkDescriptorSetLayoutBinding(
                binding: UInt32(index), descriptorType: VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, descriptorCount: 1,
                stageFlags: VK_SHADER_STAGE_COMPUTE_BIT.rawValue, pImmutableSamplers: nil)
        }
        var created: VkDescriptorSetLayout?
        let result = entries.withUnsafeBufferPointer { entries in
            var info = VkDescriptorSetLayoutCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO
            info.bindingCount = UInt32(entries.count)
            info.pBindings = entries.baseAddress
            return vkCreateDescriptorSetLayout(device, &info, nil, &created)
        }
        try check("vkCreateDescriptorSetLayout", result)
        guard let created else {
            throw .vulkan(operation: "vkCreateDescriptorSetLayout", result: .initializationFailed)
        }
        layout = created
    }

    /// The set through which a kernel reads these buffers.
    func set(for buffers: [Buffer]) throws(ComputeError) -> VkDescriptorSet {
        precondition(
            (1...Self.bindings).contains(buffers.count), "a kernel reads through one to \(Self.bindings) views")
        var views: [VkBufferView] = []
        for buffer in buffers { views.append(try buffer.texelView()) }
        while views.count < Self.bindings { views.append(views[0]) }
        return try state.withLock { (state: inout sending State) throws(ComputeError) -> Entry in
            if let known = state.sets[views] { return known }
            let entry = try allocate(&state)
            write(views, to: entry.set)
            state.sets[views] = entry
            return entry
        }.set
    }

    /// Number of descriptor sets, for tests.
    var setCount: Int { state.withLock { $0.sets.count } }

    /// Frees the sets that a view is in; the device must be done with them.
    func forget(_ view: VkBufferView) {
        state.withLock { state in
            for (views, entry) in state.sets where views.contains(view) {
                var set: VkDescriptorSet? = entry.set
                vkFreeDescriptorSets(device, entry.pool, 1, &set)
                state.sets[views] = nil
            }
        }
    }

    private func allocate(_ state: inout State) throws(ComputeError) -> Entry {
        for pool in state.pools.reversed() { if let set = allocate(from: pool) { return Entry(set: set, pool: pool) } }
        var size = VkDescriptorPoolSize(
            type: VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER, descriptorCount: UInt32(Self.setsPerPool * Self.bindings))
        var pool: VkDescriptorPool?
        let result = withUnsafePointer(to: &size) { size in
            var info = VkDescriptorPoolCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO
            info.flags = VK_DESCRIPTOR_POOL_CREATE_FREE_DESCRIPTOR_SET_BIT.rawValue
            info.maxSets = UInt32(Self.setsPerPool)
            info.poolSizeCount = 1
            info.pPoolSizes = size
            return vkCreateDescriptorPool(device, &info, nil, &pool)
        }
        try check("vkCreateDescriptorPool", result)
        guard let pool else { throw .vulkan(operation: "vkCreateDescriptorPool", result: .initializationFailed) }
        state.pools.append(pool)
        guard let set = allocate(from: pool) else {
            throw .vulkan(operation: "vkAllocateDescriptorSets", result: .outOfDeviceMemory)
        }
        return Entry(set: set, pool: pool)
    }

    private func allocate(from pool: VkDescriptorPool) -> VkDescriptorSet? {
        var layout: VkDescriptorSetLayout? = self.layout
        var set: VkDescriptorSet?
        let result = withUnsafePointer(to: &layout) { layout in
            var info = VkDescriptorSetAllocateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO
            info.descriptorPool = pool
            info.descriptorSetCount = 1
            info.pSetLayouts = layout
            return vkAllocateDescriptorSets(device, &info, &set)
        }
        return result == VK_SUCCESS ? set : nil
    }

    private func write(_ views: [VkBufferView], to set: VkDescriptorSet) {
        let handles: [VkBufferView?] = views
        handles.withUnsafeBufferPointer { handles in
            let writes = handles.indices.map { index in
                var write = VkWriteDescriptorSet()
                write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET
                write.dstSet = set
                write.dstBinding = UInt32(index)
                write.descriptorCount = 1
                write.descriptorType = VK_DESCRIPTOR_TYPE_UNIFORM_TEXEL_BUFFER
                write.pTexelBufferView = handles.baseAddress.map { $0 + index }
                return write
            }
            vkUpdateDescriptorSets(device, UInt32(writes.count), writes, 0, nil)
        }
    }

    func destroy() {
        state.withLock { state in
            for pool in state.pools { vkDestroyDescriptorPool(device, pool, nil) }
            state = State()
        }
        vkDestroyDescriptorSetLayout(device, layout, nil)
    }
}

extension Buffer {
    /// `true` when kernels can read the buffer through a view.
    var canBeViewed: Bool {
        device.properties.isCPU && byteCount / TexelViews.texelBytes <= device.properties.maxTexelBufferElements
    }
}
