import Compute

/// Device memory at one moment: what we account for, beside what the driver says.
///
/// A figure the driver does not give is `nil` and is shown as missing, never as 0.
package struct MemoryReport: Sendable, Hashable {
    /// Bytes by purpose; purposes without memory are absent.
    package var byPurpose: [MemoryPurpose: Int]
    /// Sum of `byPurpose`: what was allocated from Vulkan.
    package var accounted: Int
    /// Bytes this process uses on the device, by the driver (VK_EXT_memory_budget `heapUsage`).
    package var driverUsage: Int?
    /// Bytes this process may use before it hurts others, by the driver (`heapBudget`).
    package var driverBudget: Int?
    /// Size of the device's memory heap.
    package var heapSize: Int
    /// KV-cache bytes that one more token costs, once a model is loaded.
    package var bytesPerToken: Int?
    /// Tokens that still fit in the context.
    package var tokensLeft: Int?

    package init(
        byPurpose: [MemoryPurpose: Int], accounted: Int, driverUsage: Int? = nil, driverBudget: Int? = nil,
        heapSize: Int,
        bytesPerToken: Int? = nil, tokensLeft: Int? = nil
    ) {
        self.byPurpose = byPurpose
        self.accounted = accounted
        self.driverUsage = driverUsage
        self.driverBudget = driverBudget
        self.heapSize = heapSize
        self.bytesPerToken = bytesPerToken
        self.tokensLeft = tokensLeft
    }
}
