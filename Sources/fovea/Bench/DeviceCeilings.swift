import Compute
import Foundation

/// What this device can do at most, measured with kernels that do nothing else.
struct DeviceCeilings: Codable, Hashable {
    /// Bytes a second when memory is only read.
    var readBytesPerSecond: Double
    /// Bytes a second when memory is copied, read and written bytes both counted.
    var copyBytesPerSecond: Double
    /// f32 operations a second, a multiply-add counted as two.
    var operationsPerSecond: Double

    /// Takes a second or two.
    static func measure(on device: Device) throws -> DeviceCeilings {
        let stream = try CommandStream(device: device)
        let meter = Meter(device: device, stream: stream)
        return DeviceCeilings(
            readBytesPerSecond: try meter.bandwidth("bench/memory_read", bytesPerByte: 1),
            copyBytesPerSecond: try meter.bandwidth("bench/memory_copy", bytesPerByte: 2),
            operationsPerSecond: try meter.operations())
    }

    private struct Meter {
        let device: Device
        let stream: CommandStream

        /// Invocations of a workgroup: one subgroup on a CPU driver, where more only cost barriers.
        private var width: Int {
            let properties = device.properties
            return properties.isCPU ? properties.subgroupSize : min(256, properties.maxWorkgroupInvocations)
        }
        private var subgroups: UInt32 { UInt32(max(1, width / device.properties.subgroupSize)) }

        private struct MemoryPush: BitwiseCopyable { var x, result: UInt64, count: UInt32 }
        private struct OperationsPush: BitwiseCopyable { var result: UInt64, rounds: UInt32, factor, addend: Float }

        func bandwidth(_ kernel: String, bytesPerByte: Double) throws -> Double {
            // Well beyond any cache.
            let bytes = device.properties.isCPU ? 128 << 20 : 512 << 20
            let x = try device.makeBuffer(byteCount: bytes, purpose: .staging, label: "bandwidth source")
            let result = try device.makeBuffer(byteCount: bytes, purpose: .staging, label: "bandwidth target")
            try stream.fill(x.range, with: 0x3f80_0000)
            try stream.fill(result.range, with: 0)
            try stream.finish()
            let words = bytes / 16
            let groups = min(words / (4 * width), device.properties.isCPU ? 256 : 4096)
            let push = MemoryPush(x: x.address, result: result.address, count: UInt32(words))
            let seconds = try best(of: 5) {
                try stream.dispatch(
                    KernelVariant(kernel, constants: [subgroups]), groups: (groups, 1, 1), push: push, reads: [x.range], writes: [result.range],
                    label: kernel)
            }
            return Double(bytes) * bytesPerByte / seconds
        }

        func operations() throws -> Double {
            let groups = device.properties.isCPU ? 512 : 4096
            let result = try device.makeBuffer(byteCount: groups * width * 4, purpose: .staging, label: "operations result")
            var rounds: UInt32 = 128
            while true {
                let push = OperationsPush(result: result.address, rounds: rounds, factor: 0.999, addend: 0.001)
                let seconds = try best(of: 3) {
                    try stream.dispatch(
                        KernelVariant("bench/multiply_add", constants: [subgroups]), groups: (groups, 1, 1), push: push, reads: [],
                        writes: [result.range], label: "bench/multiply_add")
                }
                // Long enough that starting it does not count, short enough for any watchdog.
                if seconds > 0.02 || rounds >= 1 << 20 {
                    return Double(groups * width) * Double(rounds) * 8 * 12 * 2 / seconds
                }
                rounds *= 4
            }
        }

        /// The shortest time of several runs after one that compiles and warms up.
        private func best(of count: Int, _ issue: () throws -> Void) throws -> Double {
            var shortest = Double.infinity
            for run in 0...count {
                try Task.checkCancellation()
                let began = ContinuousClock.now
                stream.isProfiling = true
                try issue()
                try stream.finish()
                let wall = began.duration(to: .now) / .seconds(1)
                let timed = stream.takeTimings().reduce(0) { $0 + $1.seconds }
                stream.isProfiling = false
                if run > 0 { shortest = min(shortest, timed > 0 ? timed : wall) }
            }
            return shortest
        }
    }
}
