import Compute

/// Device memory at one moment: the ledger's figures beside the driver's.
///
/// A figure that the driver does not give is `nil`, and is shown as missing, never as 0.
package struct MemoryReport: Sendable, Hashable, Codable {
    /// Bytes by purpose; purposes without memory are absent.
    package var byPurpose: [MemoryPurpose: Int]
    /// Bytes allocated from Vulkan: the sum of `byPurpose`.
    package var accounted: Int
    /// Device memory this process uses according to the driver (VK_EXT_memory_budget `heapUsage`).
    package var driverUsage: Int?
    /// Driver's memory budget for this process (`heapBudget`).
    package var driverBudget: Int?
    /// Size of the device's memory heap.
    package var heapSize: Int
    /// KV-cache bytes of one more token, once a model is loaded.
    package var bytesPerToken: Int?
    /// Tokens that still fit in the context.
    package var tokensLeft: Int?

    package init(
        byPurpose: [MemoryPurpose: Int], accounted: Int, driverUsage: Int? = nil, driverBudget: Int? = nil,
        heapSize: Int, bytesPerToken: Int? = nil, tokensLeft: Int? = nil
    ) {
        self.byPurpose = byPurpose
        self.accounted = accounted
        self.driverUsage = driverUsage
        self.driverBudget = driverBudget
        self.heapSize = heapSize
        self.bytesPerToken = bytesPerToken
        self.tokensLeft = tokensLeft
    }

    /// The state of a device now.
    package init(device: Device, bytesPerToken: Int? = nil, tokensLeft: Int? = nil) {
        let budget = device.memoryBudget()
        self.init(
            byPurpose: device.ledger.bytesByPurpose, accounted: device.ledger.total, driverUsage: budget?.usage,
            driverBudget: budget?.budget, heapSize: device.properties.deviceHeapBytes, bytesPerToken: bytesPerToken,
            tokensLeft: tokensLeft)
    }
}
