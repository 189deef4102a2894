/// A device buffer that a model will need: an entry of the load plan.
package struct PlannedBuffer: Sendable, Hashable {
    package let purpose: MemoryPurpose
    package let label: String
    /// Bytes as the device will grant them.
    package let bytes: Int

    package init(purpose: MemoryPurpose, label: String, byteCount: Int) {
        self.purpose = purpose
        self.label = label
        bytes = Device.allocationBytes(for: byteCount)
    }
}
