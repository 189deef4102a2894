import Foundation
import Synchronization

/// Kernels on their way to being ready, while the thread that wants them does something else.
///
/// Pipelines are compiled on all cores. CPU drivers leave most of compiling to a kernel's first dispatch: there an empty
/// dispatch of each follows, one by one, so that work already wanted gets in between. A kernel that cannot be compiled
/// fails again, with its error, where it is used.
package final class KernelPreparation: Sendable {
    private let device: Device
    private let compiling = DispatchGroup()
    private let dispatching = DispatchGroup()
    private let isStopped = Atomic(false)

    /// Begins at once.
    package init(_ rehearsal: Rehearsal, on device: Device) {
        self.device = device
        let uses = rehearsal.uses
        compiling.enter()
        DispatchQueue.global(qos: .userInitiated).async(group: dispatching) { [self] in
            DispatchQueue.concurrentPerform(iterations: uses.count) {
                _ = try? device.pipelines.pipeline(for: uses[$0].variant)
            }
            compiling.leave()
            if device.properties.isCPU { try? dispatchEmpty(uses) }
        }
    }

    private func dispatchEmpty(_ uses: [Rehearsal.Use]) throws {
        let stream = try CommandStream(device: device)
        for use in uses where !isStopped.load(ordering: .relaxed) {
            try stream.dispatchEmpty(use.variant, views: use.views)
            try stream.finish()
        }
    }

    /// Waits until all pipelines are compiled.
    package func waitForPipelines() { compiling.wait() }

    /// Leaves the rest; when this returns, nothing of it uses the device any more.
    package func stop() {
        isStopped.store(true, ordering: .relaxed)
        dispatching.wait()
    }
}
