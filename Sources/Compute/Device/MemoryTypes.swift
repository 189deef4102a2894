import CVulkan

/// Host access to a buffer.
package enum BufferAccess: Sendable, Hashable {
    /// Lives where the device reads fastest; the host may or may not be able to map it.
    case device
    /// The host writes it, the device reads it.
    case upload
    /// The device writes it, the host reads it.
    case readback
}

/// A device's memory heaps and types.
struct MemoryTypes: Sendable {
    struct MemoryType: Sendable { let index: UInt32, heap: Int, flags: UInt32 }

    let types: [MemoryType]
    let heaps: [(bytes: Int, isDeviceLocal: Bool)]

    init(physicalDevice: VkPhysicalDevice) {
        var properties = VkPhysicalDeviceMemoryProperties()
        vkGetPhysicalDeviceMemoryProperties(physicalDevice, &properties)
        let typeCount = Int(properties.memoryTypeCount)
        let heapCount = Int(properties.memoryHeapCount)
        types = withUnsafeBytes(of: properties.memoryTypes) { raw in
            raw.bindMemory(to: VkMemoryType.self).prefix(typeCount).enumerated().map {
                MemoryType(index: UInt32($0.offset), heap: Int($0.element.heapIndex), flags: $0.element.propertyFlags)
            }
        }
        heaps = withUnsafeBytes(of: properties.memoryHeaps) { raw in
            raw.bindMemory(to: VkMemoryHeap.self).prefix(heapCount).map {
                (Int(clamping: $0.size), $0.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue != 0)
            }
        }
    }

    /// The largest device-local heap: a 256 MiB window onto a card's memory must not be added to the card's memory.
    var deviceHeap: Int? { heaps.indices.filter { heaps[$0].isDeviceLocal }.max { heaps[$0].bytes < heaps[$1].bytes } }
    var deviceHeapBytes: Int { deviceHeap.map { heaps[$0].bytes } ?? 0 }
    var isUnified: Bool { heaps.allSatisfy(\.isDeviceLocal) }

    static let deviceLocal = UInt32(VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue)
    static let hostVisible = UInt32(VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue)
    static let hostCoherent = UInt32(VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue)
    static let hostCached = UInt32(VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue)

    /// The types to try for an access, best first, among those that `allowed` (a bit mask) permits.
    func candidates(for access: BufferAccess, allowed: UInt32) -> [MemoryType] {
        let mapped = Self.hostVisible | Self.hostCoherent
        let wishes: [UInt32] =
            switch access {
            case .device: isUnified ? [Self.deviceLocal | mapped, Self.deviceLocal, 0] : [Self.deviceLocal, 0]
            case .upload: [mapped]
            case .readback: [mapped | Self.hostCached, mapped]
            }
        var result: [MemoryType] = []
        for wish in wishes {
            for type in types where allowed & (1 << type.index) != 0 && type.flags & wish == wish {
                if access == .device && wish != 0 && type.heap != deviceHeap { continue }
                if !result.contains(where: { $0.index == type.index }) { result.append(type) }
            }
        }
        return result
    }
}
