import Compute

/// # Telemetry
///
/// Floor 2. What memory is, and will be, used for: reports of the ledger beside the driver's own figures, and load
/// plans made before anything is loaded.
///
/// `LoadPlan` is the list of device buffers a model will take. Loading allocates from the same list, so forecast and
/// fact cannot drift.
package struct LoadPlan: Sendable, Hashable {
    package let buffers: [PlannedBuffer]

    package init(_ buffers: [PlannedBuffer]) { self.buffers = buffers }

    package var total: Int { buffers.reduce(0) { $0 + $1.bytes } }

    package var bytesByPurpose: [MemoryPurpose: Int] {
        buffers.reduce(into: [:]) { $0[$1.purpose, default: 0] += $1.bytes }
    }
}

extension MemoryReport {
    /// The state of a device now.
    package init(device: Device, bytesPerToken: Int? = nil, tokensLeft: Int? = nil) {
        let budget = device.memoryBudget()
        self.init(
            byPurpose: device.ledger.bytesByPurpose, accounted: device.ledger.total, driverUsage: budget?.usage,
            driverBudget: budget?.budget, heapSize: device.properties.deviceHeapBytes, bytesPerToken: bytesPerToken,
            tokensLeft: tokensLeft)
    }
}
