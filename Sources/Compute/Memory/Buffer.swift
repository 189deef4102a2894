import CVulkan
import Foundation
import Support
import Synchronization

/// A piece of device memory with an address kernels can follow. Freed, and removed from the ledger, when the last
/// reference goes; command streams keep the buffers of unfinished work alive.
package final class Buffer: @unchecked Sendable {
    // Safety: all stored properties are constant; the command stream orders accesses to the contents.
    package let device: Device
    package let byteCount: Int
    package let purpose: MemoryPurpose
    package let label: String
    /// The device address of the first byte.
    package let address: UInt64
    /// The memory as the host sees it, or `nil` where it cannot.
    package let contents: UnsafeMutableRawPointer?

    let handle: VkBuffer
    private struct View: @unchecked Sendable { let handle: VkBufferView }
    /// Made when a kernel first reads through it.
    private let view = Mutex<View?>(nil)
    private let memory: VkDeviceMemory
    /// The host's pages behind `memory`, where it is made of them.
    private let pages: HostPages?
    private let ledgerID: UInt64

    /// Bytes the driver granted for this buffer, as the ledger counts them.
    package let allocatedBytes: Int

    init(
        device: Device, byteCount: Int, purpose: MemoryPurpose, label: String, handle: VkBuffer, memory: VkDeviceMemory,
        pages: HostPages?, allocatedBytes: Int, address: UInt64, contents: UnsafeMutableRawPointer?
    ) {
        self.device = device
        self.byteCount = byteCount
        self.purpose = purpose
        self.label = label
        self.handle = handle
        self.memory = memory
        self.pages = pages
        self.allocatedBytes = allocatedBytes
        self.address = address
        self.contents = contents
        ledgerID = device.ledger.record(purpose: purpose, label: label, bytes: allocatedBytes)
    }

    deinit {
        if let view = view.withLock({ $0 }) {
            device.views.forget(view.handle)
            vkDestroyBufferView(device.handle, view.handle, nil)
        }
        vkDestroyBuffer(device.handle, handle, nil)
        vkFreeMemory(device.handle, memory, nil)
        device.ledger.remove(ledgerID)
    }

    /// The whole buffer as texels of four 32-bit words; see `LoadPath.texel`.
    func texelView() throws(ComputeError) -> VkBufferView {
        try view.withLock { (view: inout sending View?) throws(ComputeError) -> View in
            if let view { return view }
            var info = VkBufferViewCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_BUFFER_VIEW_CREATE_INFO
            info.buffer = handle
            info.format = VK_FORMAT_R32G32B32A32_UINT
            info.range = VkDeviceSize(byteCount / TexelViews.texelBytes * TexelViews.texelBytes)
            var created: VkBufferView?
            try check("vkCreateBufferView (\(label))", vkCreateBufferView(device.handle, &info, nil, &created))
            guard let created else {
                throw .vulkan(operation: "vkCreateBufferView (\(label))", result: .initializationFailed)
            }
            let made = View(handle: created)
            view = made
            return made
        }.handle
    }

    /// All of the buffer.
    package var range: MemoryRange { MemoryRange(buffer: self, offset: 0, byteCount: byteCount) }

    /// Copies host bytes into a host-visible buffer.
    package func write<Element: BitwiseCopyable>(_ elements: [Element], at byteOffset: Int = 0) {
        elements.withUnsafeBytes { write($0, at: byteOffset) }
    }

    /// Copies host bytes into a host-visible buffer.
    package func write(_ bytes: UnsafeRawBufferPointer, at byteOffset: Int = 0) {
        guard let contents else { preconditionFailure("buffer \(label) is not visible to the host") }
        precondition(byteOffset >= 0 && byteOffset + bytes.count <= byteCount, "write past the end of buffer \(label)")
        if let source = bytes.baseAddress { memcpy(contents + byteOffset, source, bytes.count) }
    }

    /// Copies elements out of a host-visible buffer.
    package func read<Element: BitwiseCopyable>(_ type: Element.Type = Element.self, count: Int, at byteOffset: Int = 0)
        -> [Element]
    {
        guard let contents else { preconditionFailure("buffer \(label) is not visible to the host") }
        precondition(
            byteOffset >= 0 && count >= 0 && byteOffset + count * MemoryLayout<Element>.stride <= byteCount,
            "read past the end of buffer \(label)")
        return Array(unsafeUninitializedCapacity: count) { destination, written in
            if count > 0, let base = destination.baseAddress {
                memcpy(base, contents + byteOffset, count * MemoryLayout<Element>.stride)
            }
            written = count
        }
    }
}

/// A stretch of a buffer, as a kernel reads or writes it.
package struct MemoryRange: Sendable {
    package let buffer: Buffer
    package let start: UInt64
    package let end: UInt64

    package init(buffer: Buffer, offset: Int, byteCount: Int) {
        // A bad address would crash the process on a CPU driver: catch it here.
        precondition(
            offset >= 0 && byteCount >= 0 && offset + byteCount <= buffer.byteCount,
            "range \(offset)..<\(offset + byteCount) outside buffer \(buffer.label) of \(buffer.byteCount) bytes")
        self.buffer = buffer
        start = buffer.address + UInt64(offset)
        end = start + UInt64(byteCount)
    }

    @inline(__always)
    func overlaps(_ other: MemoryRange) -> Bool { start < other.end && other.start < end }
}

extension Device {
    /// Slack behind every buffer, so that a kernel's wide load of the last row stays inside it.
    static let tailPadding = 64
    /// Allocations are made in whole pages, as drivers grant them, so that a plan equals the allocation to the byte.
    static let allocationGranularity = 4096

    /// Bytes of device memory that a buffer of `byteCount` bytes takes.
    package static func allocationBytes(for byteCount: Int) -> Int {
        (max(byteCount, 4) + tailPadding + allocationGranularity - 1) / allocationGranularity * allocationGranularity
    }

    /// Allocates device memory with a device address, filled with zeros.
    ///
    /// - Parameter isCleared: off where nothing is read that was not written before: the host then takes pages of a CPU
    ///   driver's memory only as they are used.
    /// - Throws: `ComputeError.outOfDeviceMemory`, `.allocationTooLarge`, `.deviceLost`.
    package func makeBuffer(
        byteCount: Int, purpose: MemoryPurpose, label: String, access: BufferAccess = .device, isCleared: Bool = true
    ) throws(ComputeError) -> Buffer {
        precondition(byteCount >= 0 && byteCount <= 1 << 60)
        try requireAlive("the allocation of \(label)")
        let size = Self.allocationBytes(for: byteCount)
        if size > properties.maxAllocationBytes || size > properties.maxBufferBytes {
            throw .allocationTooLarge(
                label: label, requested: size, limit: min(properties.maxAllocationBytes, properties.maxBufferBytes))
        }
        var info = VkBufferCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
        info.size = VkDeviceSize(size)
        info.usage =
            VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT.rawValue
            | VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue | VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue
        if properties.isCPU { info.usage |= VK_BUFFER_USAGE_UNIFORM_TEXEL_BUFFER_BIT.rawValue }
        info.sharingMode = VK_SHARING_MODE_EXCLUSIVE
        let pages = properties.usesHostPages && size >= HostPages.minimumBytes ? HostPages(byteCount: size) : nil
        var external = VkExternalMemoryBufferCreateInfo()
        external.sType = VK_STRUCTURE_TYPE_EXTERNAL_MEMORY_BUFFER_CREATE_INFO
        external.handleTypes = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT.rawValue
        var buffer: VkBuffer?
        let creation = withUnsafePointer(to: &external) {
            if pages != nil { info.pNext = UnsafeRawPointer($0) }
            return vkCreateBuffer(handle, &info, nil, &buffer)
        }
        try check("vkCreateBuffer (\(label))", creation)
        guard let buffer else { throw .vulkan(operation: "vkCreateBuffer (\(label))", result: .initializationFailed) }

        var requirements = VkMemoryRequirements()
        vkGetBufferMemoryRequirements(handle, buffer, &requirements)
        let candidates = memoryTypes.candidates(for: access, allowed: requirements.memoryTypeBits)
        guard let (memory, type) = allocate(requirements, from: candidates, in: pages) else {
            vkDestroyBuffer(handle, buffer, nil)
            throw .outOfDeviceMemory(
                purpose: purpose, label: label, requested: Int(requirements.size), held: ledger.total,
                heapSize: properties.deviceHeapBytes)
        }

        var contents: UnsafeMutableRawPointer?
        var result = vkBindBufferMemory(handle, buffer, memory, 0)
        if result == VK_SUCCESS, type.flags & MemoryTypes.hostVisible != 0, type.flags & MemoryTypes.hostCoherent != 0 {
            result = vkMapMemory(handle, memory, 0, VkDeviceSize(VK_WHOLE_SIZE), 0, &contents)
        }
        if result != VK_SUCCESS {
            vkDestroyBuffer(handle, buffer, nil)
            vkFreeMemory(handle, memory, nil)
            try check("vkBindBufferMemory (\(label))", result)
        }
        if pages == nil, let contents, isCleared { memset(contents, 0, size) }

        var addressInfo = VkBufferDeviceAddressInfo()
        addressInfo.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO
        addressInfo.buffer = buffer
        let created = Buffer(
            device: self, byteCount: size, purpose: purpose, label: label, handle: buffer, memory: memory, pages: pages,
            allocatedBytes: Int(requirements.size), address: vkGetBufferDeviceAddress(handle, &addressInfo),
            contents: contents)
        if contents == nil, isCleared { try clear(created) }
        return created
    }

    private func allocate(
        _ requirements: VkMemoryRequirements, from candidates: [MemoryTypes.MemoryType], in pages: HostPages?
    ) -> (VkDeviceMemory, MemoryTypes.MemoryType)? {
        #if DEBUG
            if FaultPlan.current.next(.allocation) != nil { return nil }
        #endif
        var flags = VkMemoryAllocateFlagsInfo()
        flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO
        flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT.rawValue
        var pointer = VkImportMemoryHostPointerInfoEXT()
        pointer.sType = VK_STRUCTURE_TYPE_IMPORT_MEMORY_HOST_POINTER_INFO_EXT
        pointer.handleType = VK_EXTERNAL_MEMORY_HANDLE_TYPE_HOST_ALLOCATION_BIT_EXT
        pointer.pHostPointer = pages?.address
        return withUnsafeMutablePointer(to: &flags) { flags in
            withUnsafePointer(to: &pointer) { pointer in
                if pages != nil { flags.pointee.pNext = UnsafeRawPointer(pointer) }
                for type in candidates {
                    var info = VkMemoryAllocateInfo()
                    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
                    info.pNext = UnsafeRawPointer(flags)
                    info.allocationSize = requirements.size
                    info.memoryTypeIndex = type.index
                    var memory: VkDeviceMemory?
                    if vkAllocateMemory(handle, &info, nil, &memory) == VK_SUCCESS, let memory { return (memory, type) }
                }
                return nil
            }
        }
    }

    /// Fills a buffer that the host cannot reach with zeros: kernels may read padding, which must not be NaN.
    private func clear(_ buffer: Buffer) throws(ComputeError) {
        let stream = try CommandStream(device: self)
        try stream.fill(buffer.range, with: 0)
        try stream.finish()
    }
}
