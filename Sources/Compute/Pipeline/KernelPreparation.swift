import Foundation
import Synchronization

/// Pipeline pre-compilation of a workload's kernels in the background, while the caller reads weights.
///
/// Pipelines are compiled on all cores. CPU drivers leave most of compiling to a kernel's first dispatch: there an empty
/// dispatch of each follows, one by one, so that other work gets in between. A kernel that cannot be compiled
/// fails again, with its error, where it is used.
package final class KernelPreparation: Sendable {
    private let device: Device
    private let compiling = DispatchGroup()
    private let dispatching = DispatchGroup()
    private let isStopped = Atomic(false)

    /// Starts compiling at once.
    package init(_ warmUp: WarmUp, on device: Device) {
        self.device = device
        let uses = warmUp.uses
        compiling.enter()
        DispatchQueue.global(qos: .userInitiated).async(group: dispatching) { [self] in
            DispatchQueue.concurrentPerform(iterations: uses.count) {
                _ = try? device.pipelines.pipeline(for: uses[$0].variant)
            }
            compiling.leave()
            if device.properties.isCPU { try? dispatchEmpty(uses) }
        }
    }

    private func dispatchEmpty(_ uses: [WarmUp.Use]) throws {
        let stream = try CommandStream(device: device)
        for use in uses where !isStopped.load(ordering: .relaxed) {
            try stream.dispatchEmpty(use.variant, views: use.views)
            try stream.finish()
        }
    }

    /// Waits until all pipelines are compiled.
    package func waitForPipelines() { compiling.wait() }

    /// Skips the remaining kernels; when this returns, the device is no longer in use.
    package func stop() {
        isStopped.store(true, ordering: .relaxed)
        dispatching.wait()
    }
}
