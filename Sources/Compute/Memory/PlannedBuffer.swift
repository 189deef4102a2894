/// A device buffer that a model will need: an entry of the load plan.
public struct PlannedBuffer: Sendable, Hashable {
    public let purpose: MemoryPurpose
    public let label: String
    /// Bytes as the device will grant them.
    public let bytes: Int

    public init(purpose: MemoryPurpose, label: String, byteCount: Int) {
        self.purpose = purpose
        self.label = label
        bytes = Device.allocationBytes(for: byteCount)
    }
}
