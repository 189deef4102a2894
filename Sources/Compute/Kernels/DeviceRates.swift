/// Measured peak rates of a device: the yardsticks of `fovea bench`.
package struct DeviceRates: Sendable, Hashable {
    /// Bytes a second that kernels can read.
    package var readBytesPerSecond: Double
    /// Bytes a second moved by a copy, read and write counted together.
    package var copyBytesPerSecond: Double
    /// f32 operations a second, a multiply-add counting as two.
    package var multiplyAddOperationsPerSecond: Double
    /// Operations a second in products of f16 matrices into f32 ones, where kernels use them.
    package var matrixOperationsPerSecond: Double?
}

private struct MemoryPush: BitwiseCopyable {
    var x, result: UInt64
    var rounds: UInt32
}

private struct MultiplyAddPush: BitwiseCopyable {
    var result: UInt64
    var rounds: UInt32
    var factor, addend: Float
}

/// Chooses the measuring kernels' forms.
package enum DeviceRatesSelection {
    static func subgroupCount(_ properties: DeviceProperties) -> Int {
        properties.isCPU ? 1 : subgroups(forInvocations: 256, properties)
    }

    /// Bytes that pass in a memory measurement: well beyond caches, and little of the device's memory.
    package static func byteCount(_ properties: DeviceProperties) -> Int { properties.isCPU ? 128 << 20 : 512 << 20 }

    package static func memory(copies: Bool, _ properties: DeviceProperties) -> KernelChoice {
        KernelChoice(
            KernelVariant(
                copies ? "bench/memory_copy" : "bench/memory_read", constants: [UInt32(subgroupCount(properties))]),
            x: properties.isCPU ? 256 : 4096)
    }

    package static func multiplyAdd(_ properties: DeviceProperties) -> KernelChoice {
        KernelChoice(
            KernelVariant("bench/multiply_add", constants: [UInt32(subgroupCount(properties))]),
            x: properties.isCPU ? 64 : 8192)
    }

    /// `nil` where no kernel multiplies matrices.
    package static func matrix(_ properties: DeviceProperties) -> (choice: KernelChoice, shape: MatrixShape)? {
        guard KernelProfile(properties) == .coalesced, let shape = properties.cooperativeMatrix else { return nil }
        let constants = [subgroupCount(properties), shape.m, shape.n, shape.k].map { UInt32($0) }
        return (
            KernelChoice(KernelVariant("bench/matrix", constants: constants), x: properties.isCPU ? 64 : 8192), shape
        )
    }
}

extension CommandStream {
    /// Measures the device's memory and arithmetic rates, each as the best of `repetitions`. Takes about a second.
    package func measureRates(repetitions: Int = 5) throws -> DeviceRates {
        let properties = device.properties
        let megabytes = min(DeviceRatesSelection.byteCount(properties), properties.maxAllocationBytes / 2) >> 20
        let bytes = max(megabytes, 64) << 20
        let source = try device.makeBuffer(byteCount: bytes, purpose: .staging, label: "bandwidth source")
        let target = try device.makeBuffer(byteCount: bytes, purpose: .staging, label: "bandwidth target")

        func best(_ body: () throws -> Void) throws -> Double {
            var best = Double.infinity
            // The first turn compiles the kernel and touches the memory.
            for turn in 0...repetitions {
                let start = ContinuousClock.now
                try body()
                try finish()
                if turn > 0 { best = min(best, (ContinuousClock.now - start) / .seconds(1)) }
            }
            return best
        }

        let shape = DeviceRatesSelection.memory(copies: false, properties)
        let bytesPerRound =
            shape.groups.x * DeviceRatesSelection.subgroupCount(properties) * properties.subgroupSize * 8 * 16
        let rounds = max(1, bytes / bytesPerRound)
        let moved = Double(rounds * bytesPerRound)
        let push = MemoryPush(x: source.address, result: target.address, rounds: UInt32(rounds))
        func memory(copies: Bool) throws -> Double {
            try best {
                try dispatch(
                    DeviceRatesSelection.memory(copies: copies, properties), push: push, reads: [source.range],
                    writes: [target.range],
                    label: copies ? "measure copy" : "measure read")
            }
        }
        /// Operations per second of a kernel, from the operations of a subgroup per round.
        func operations(_ choice: KernelChoice, rounds: Int, perRound: Int, _ label: String) throws -> Double {
            let subgroups = choice.groups.x * DeviceRatesSelection.subgroupCount(properties)
            let time = try best {
                try dispatch(
                    choice,
                    push: MultiplyAddPush(result: target.address, rounds: UInt32(rounds), factor: 0.999, addend: 0.001),
                    reads: [],
                    writes: [
                        MemoryRange(buffer: target, offset: 0, byteCount: subgroups * properties.subgroupSize * 4)
                    ], label: label)
            }
            return Double(subgroups) * Double(rounds) * Double(perRound) / time
        }
        return DeviceRates(
            readBytesPerSecond: moved / (try memory(copies: false)),
            copyBytesPerSecond: 2 * moved / (try memory(copies: true)),
            multiplyAddOperationsPerSecond: try operations(
                DeviceRatesSelection.multiplyAdd(properties), rounds: properties.isCPU ? 20_000 : 4_000,
                perRound: properties.subgroupSize * 8 * 12 * 2, "measure arithmetic"),
            matrixOperationsPerSecond: try DeviceRatesSelection.matrix(properties).map { choice, shape in
                try operations(
                    choice, rounds: properties.isCPU ? 1_000 : 4_000, perRound: 8 * 2 * shape.m * shape.n * shape.k,
                    "measure matrices")
            })
    }
}
