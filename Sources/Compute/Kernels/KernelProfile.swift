/// The two tunings every kernel family has. Both are right on every device; they differ in the devices they are fast on.
package enum KernelProfile: String, Sendable, Hashable, CaseIterable {
    /// For lavapipe, where "lanes" are a CPU's vector registers: loads are expensive, shuffles with constant lanes nearly
    /// free, shared memory and barriers slow. Lane = output, inputs travel by shuffle.
    case vector
    /// For GPUs: neighboring lanes load neighboring memory, tiles go through shared memory, workgroups are large.
    case coalesced

    package init(_ properties: DeviceProperties) {
        self = properties.wantedProfile ?? (properties.isCPU ? .vector : .coalesced)
    }
}

/// A kernel chosen for a problem: the variant and its grid.
package struct KernelChoice: Hashable, Sendable {
    package var variant: KernelVariant
    package var groups: Groups

    /// Workgroups in x, y, z.
    package struct Groups: Hashable, Sendable {
        package var x: Int, y: Int, z: Int
    }

    init(_ variant: KernelVariant, x: Int, y: Int = 1, z: Int = 1) {
        self.variant = variant
        groups = Groups(x: x, y: y, z: z)
    }
}

extension CommandStream {
    /// Issues a chosen kernel.
    func dispatch<Push: BitwiseCopyable>(
        _ choice: KernelChoice, push: Push, reads: [MemoryRange], writes: [MemoryRange], views: [Buffer] = [],
        label: String,
        operations: Double = 0
    ) throws {
        try dispatch(
            choice.variant, groups: (choice.groups.x, choice.groups.y, choice.groups.z), push: push, reads: reads,
            writes: writes,
            views: views, label: label, operations: operations)
    }
}

extension Tensor {
    /// `true` when every row starts on a 16-byte boundary and can be read four f32 elements at a time.
    var hasWideRows: Bool { address % 16 == 0 && rowStride % 4 == 0 }
}

func divideRoundingUp(_ a: Int, _ b: Int) -> Int { (a + b - 1) / b }

extension Bool {
    /// As a specialization constant.
    var constant: UInt32 { self ? 1 : 0 }
}

/// Subgroups to a workgroup, for kernels that want `invocations` of them.
func subgroups(forInvocations invocations: Int, _ properties: DeviceProperties) -> Int {
    max(1, min(invocations, properties.maxWorkgroupInvocations) / properties.subgroupSize)
}
