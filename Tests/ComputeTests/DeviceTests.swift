import ComputeReference
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Compute

@Suite("Device, memory and ledger", .usesDevice)
struct DeviceTests {
    private func device(_ index: Int, _ name: String, _ kind: DeviceKind, missing: [String] = []) -> DeviceProperties {
        var properties = DeviceProperties()
        properties.index = index
        properties.name = name
        properties.kind = kind
        properties.missing = missing
        return properties
    }

    @Test("discrete before integrated before CPU, unless named; unsuitable devices are passed over")
    func choice() throws {
        let devices = [
            device(0, "llvmpipe", .cpu), device(1, "Iris", .integrated),
            device(2, "Old Card", .discrete, missing: ["shaderInt64"]),
            device(3, "Radeon", .discrete),
        ]
        #expect(try Instance.choose(nil, from: devices).index == 3)
        #expect(try Instance.choose(nil, from: Array(devices.prefix(3))).index == 1)
        #expect(try Instance.choose("0", from: devices).index == 0)
        #expect(try Instance.choose("iris", from: devices).index == 1)
        #expect(try Instance.choose("cpu", from: devices).index == 0)
        #expect(throws: ComputeError.self) { try Instance.choose("voodoo", from: devices) }
        #expect(throws: ComputeError.self) { try Instance.choose("old", from: devices) }
        #expect(throws: ComputeError.self) { try Instance.choose(nil, from: []) }
    }

    @Test("the ledger holds what Vulkan granted, and nothing after the buffers are gone")
    func ledger() throws {
        let device = try Device(validation: true)
        #expect(device.ledger.total == 0)
        do {
            let a = try device.makeBuffer(byteCount: 1000, purpose: .weightsEncoder, label: "a")
            let b = try device.makeBuffer(byteCount: 70_000, purpose: .selfKV, label: "b")
            #expect(device.ledger.total == a.allocatedBytes + b.allocatedBytes)
            #expect(device.ledger.bytesByPurpose == [.weightsEncoder: a.allocatedBytes, .selfKV: b.allocatedBytes])
            #expect(a.allocatedBytes >= 1000 && b.allocatedBytes >= 70_000)
            withExtendedLifetime((a, b)) {}
        }
        #expect(device.ledger.total == 0)
        #expect(device.ledger.entries.isEmpty)
        #expect(device.ledger.peak > 71_000)
        TestDevice.expectNoValidationMessages(device)
    }

    @Test(
        "large buffers of a CPU driver that takes the host's pages begin on a large page, hold zeros, and go back to the system"
    )
    func hostPages() throws {
        let device = try Device(validation: true)
        guard device.properties.usesHostPages else { return }
        // Pages in memory: the second figure of statm.
        let pages = {
            try #require(
                try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ").dropFirst().first
                    .flatMap { Int($0) })
        }
        let byteCount = 64 << 20
        let before = try pages()
        do {
            let source = try device.makeBuffer(byteCount: byteCount, purpose: .staging, label: "source")
            let target = try device.makeBuffer(byteCount: byteCount, purpose: .staging, label: "target")
            let contents = try #require(source.contents)
            #expect(Int(bitPattern: contents) % HostPages.largePageBytes == 0)
            #expect(source.read(UInt64.self, count: byteCount / 8).allSatisfy { $0 == 0 })
            // The device reads at both ends the values that the host wrote.
            source.write([UInt32(1)])
            source.write([UInt32(2)], at: byteCount - 4)
            let stream = try CommandStream(device: device)
            try stream.copy(
                from: MemoryRange(buffer: source, offset: 0, byteCount: byteCount),
                to: MemoryRange(buffer: target, offset: 0, byteCount: byteCount))
            try stream.finish()
            #expect(
                target.read(UInt32.self, count: 1) == [1]
                    && target.read(UInt32.self, count: 1, at: byteCount - 4) == [2])
            #expect(target.read(UInt32.self, count: 1, at: 4) == [0])
            #expect(try pages() >= before + byteCount / 4096)
        }
        #expect(try pages() < before + byteCount / 4096 / 2)
        TestDevice.expectNoValidationMessages(device)
    }

    @Test("an allocation no device can hold is a typed error and leaves the ledger as it was")
    func tooLarge() throws {
        let device = try TestDevice.open()
        let before = device.ledger.entries
        #expect(throws: ComputeError.self) {
            try device.makeBuffer(byteCount: 1 << 50, purpose: .activations, label: "absurd")
        }
        #expect(device.ledger.entries.filter { $0.label == "absurd" }.isEmpty)
        _ = before
    }

    @Test("fill, copy and read back in order; buffers outlive unfinished work")
    func fillAndCopy() throws {
        let device = try TestDevice.open()
        let stream = try CommandStream(device: device)
        let target = try device.makeBuffer(byteCount: 4096, purpose: .staging, label: "target", access: .readback)
        do {
            let source = try device.makeBuffer(byteCount: 4096, purpose: .staging, label: "source", access: .upload)
            source.write([UInt32](0..<1024))
            try stream.copy(
                from: MemoryRange(buffer: source, offset: 0, byteCount: 4096),
                to: MemoryRange(buffer: target, offset: 0, byteCount: 4096))
            try stream.fill(MemoryRange(buffer: target, offset: 16, byteCount: 8), with: 7)
        }
        try stream.finish()
        let values = target.read(UInt32.self, count: 8)
        #expect(values == [0, 1, 2, 3, 7, 7, 6, 7])
        TestDevice.expectNoValidationMessages(device)
    }

    @Test("the timeline advances by one a submission and waiting twice is harmless")
    func timeline() throws {
        let device = try TestDevice.open()
        let stream = try CommandStream(device: device)
        let buffer = try device.makeBuffer(byteCount: 64, purpose: .staging, label: "timeline", access: .readback)
        #expect(try stream.submit() == 0)
        for round in 1...5 {
            try stream.fill(MemoryRange(buffer: buffer, offset: 0, byteCount: 4), with: UInt32(round))
            #expect(try stream.submit() == UInt64(round))
        }
        try stream.finish()
        try stream.wait(for: 5)
        #expect(stream.isDone(5))
        #expect(buffer.read(UInt32.self, count: 1) == [5])
    }

    @Test("a recording runs again with changed contents")
    func replay() throws {
        let device = try TestDevice.open()
        let stream = try CommandStream(device: device)
        let source = try device.makeBuffer(byteCount: 64, purpose: .staging, label: "in", access: .upload)
        let target = try device.makeBuffer(byteCount: 64, purpose: .staging, label: "out", access: .readback)
        let recording = try stream.record { stream in
            try stream.copy(
                from: MemoryRange(buffer: source, offset: 0, byteCount: 4),
                to: MemoryRange(buffer: target, offset: 0, byteCount: 4))
        }
        #expect(target.read(UInt32.self, count: 1) == [0])
        for value: UInt32 in [3, 9, 27] {
            source.write([value])
            try stream.wait(for: stream.replay(recording))
            #expect(target.read(UInt32.self, count: 1) == [value])
        }
        TestDevice.expectNoValidationMessages(device)
    }

    @Test("streams come and go the moment their work is done")
    func shortLives() throws {
        let device = try Device(validation: false)
        let buffer = try device.makeBuffer(byteCount: 64, purpose: .staging, label: "target", access: .readback)
        for round: UInt32 in 1...1000 {
            let stream = try CommandStream(device: device)
            // The second piece waits for the first: a driver holds on to the semaphore for it.
            for value in [0, round] {
                try stream.fill(MemoryRange(buffer: buffer, offset: 0, byteCount: 4), with: value)
                try stream.submit()
            }
            try stream.finish()
        }
        #expect(buffer.read(UInt32.self, count: 1) == [1000])
    }

    @Test("a pipeline cache folder that cannot be written costs nothing but speed")
    func unwritableCache() throws {
        let device = try Device(validation: false, pipelineCacheFolder: URL(fileURLWithPath: "/proc/nowhere"))
        device.savePipelineCache()
    }
}

@Suite("Hazards", .usesDevice)
struct HazardTests {
    @Test("barriers appear exactly where ranges conflict")
    func hazards() throws {
        let buffer = try TestDevice.open().makeBuffer(byteCount: 4096, purpose: .activations, label: "hazards")
        func range(_ start: Int, _ count: Int) -> MemoryRange {
            MemoryRange(buffer: buffer, offset: start, byteCount: count)
        }
        var tracker = HazardTracker()
        #expect(!tracker.barrier(reads: [], writes: [range(0, 100)]).isNeeded)
        #expect(!tracker.barrier(reads: [range(100, 100)], writes: [range(200, 100)]).isNeeded)
        // Reads what was written.
        #expect(tracker.barrier(reads: [range(50, 10)], writes: [range(300, 10)]) == .init(readAfterWrite: true))
        // The barrier covered everything before it.
        #expect(!tracker.barrier(reads: [range(200, 100)], writes: []).isNeeded)
        // Overwrites what was only read: execution order alone.
        #expect(tracker.barrier(reads: [], writes: [range(220, 4)]) == .init(writeAfterRead: true))
        // The write at 300 is still not visible after a barrier that waited for reads only.
        #expect(tracker.barrier(reads: [range(304, 2)], writes: []) == .init(readAfterWrite: true))
        #expect(tracker.barrier(reads: [], writes: [range(304, 2)]) == .init(writeAfterRead: true))
        #expect(tracker.barrier(reads: [], writes: [range(305, 1)]) == .init(writeAfterWrite: true))
        // Neighbors do not overlap.
        #expect(!tracker.barrier(reads: [range(306, 4)], writes: [range(301, 4)]).isNeeded)
    }
}

@Suite("Texel views", .usesDevice)
struct TexelViewTests {
    @Test("views and their sets go with the buffers; new buffers in their place are read anew")
    func lifetime() throws {
        let bench = try KernelBench()
        guard bench.device.properties.isCPU else { return }
        let before = bench.device.views.setCount
        for round in 0..<3 {
            let x = bench.matrix(2, 64)
            let (weight, values) = try bench.weight(bench.matrix(24, 64), format: .f32)
            let out = try bench.output(2, 24)
            try bench.stream.linear(bench.tensor(x), weight: weight, into: out, load: .texel)
            #expect(
                largestDifference(try bench.read(out), Reference.linear(x, weight: values)) < 2e-5, "round \(round)")
            #expect(bench.device.views.setCount <= before + 1)
        }
        #expect(bench.device.views.setCount == before)
        bench.expectNoValidationMessages()
    }
}
