import ArgumentParser
import Compute
import Support

/// `fovea devices`: what could compute here, and what would.
struct DevicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices",
        abstract: "List the Vulkan devices, what they can do, and which one is chosen.")

    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let instance = try Instance()
        let devices = try instance.devices()
        if devices.isEmpty { throw ComputeError.noDriver(detail: "the loader lists no device") }
        // Without a selector, a machine on which nothing suits is still worth listing.
        let chosen: DeviceProperties?
        do {
            chosen = try Instance.choose(device.selector, from: devices)
        } catch {
            if device.selector != nil { throw error }
            chosen = nil
        }
        let reports = devices.map { DeviceReport($0, isChosen: $0.index == chosen?.index) }
        if output.json {
            try JSONOutput.print(reports)
        } else {
            try Console.writeLine(reports.map(\.text).joined(separator: "\n\n"))
        }
        if chosen == nil {
            throw ComputeError.noSuitableDevice(
                found: devices.map { "\($0.summary) lacks \($0.missing.joined(separator: ", "))" })
        }
    }
}

/// One device, as `fovea devices` shows it.
struct DeviceReport: Encodable {
    struct Heap: Encodable {
        let bytes: Int
        let deviceLocal: Bool
    }

    let index: Int
    let name: String
    let kind: String
    let driver: String
    let driverInfo: String
    let apiVersion: String
    let suitable: Bool
    let missing: [String]
    let chosen: Bool
    let subgroupSize: Int
    let subgroupSizeRange: [Int]
    let memoryHeaps: [Heap]
    let unifiedMemory: Bool
    let features: [String: Bool]
    let limits: [String: Int]
    /// The kernel form that would run, by what it computes; empty on a device that cannot run the engine.
    let kernels: [KernelPath]

    init(_ properties: DeviceProperties, isChosen: Bool) {
        index = properties.index
        name = properties.name
        kind = properties.kind.rawValue
        driver = properties.driverName
        driverInfo = properties.driverInfo
        apiVersion = properties.apiVersionText
        suitable = properties.isSuitable
        missing = properties.missing
        chosen = isChosen
        subgroupSize = properties.subgroupSize
        subgroupSizeRange = [properties.minSubgroupSize, properties.maxSubgroupSize]
        memoryHeaps = properties.heaps.map { Heap(bytes: $0.bytes, deviceLocal: $0.isDeviceLocal) }
        unifiedMemory = properties.hasUnifiedMemory
        features = [
            "float16": properties.supportsFloat16, "storage_16_bit": properties.supports16BitStorage,
            "storage_8_bit": properties.supports8BitStorage,
            "accelerated_byte_dot_product": properties.acceleratesPackedDot,
            "cooperative_matrix": properties.cooperativeMatrix != nil, "memory_budget": properties.supportsMemoryBudget,
            "timestamps": properties.timestampPeriod > 0,
        ]
        limits = [
            "allocation_bytes": properties.maxAllocationBytes, "buffer_bytes": properties.maxBufferBytes,
            "shared_memory_bytes": properties.maxSharedMemoryBytes,
            "workgroup_invocations": properties.maxWorkgroupInvocations,
            "push_constant_bytes": properties.maxPushConstantBytes,
        ]
        kernels = properties.isSuitable ? KernelPath.all(on: properties) : []
    }

    /// A paragraph of text.
    var text: String {
        var table = TextTable(("", .left), ("", .left))
        table.add("  driver", [driver, driverInfo].filter { !$0.isEmpty }.joined(separator: ", "))
        table.add("  Vulkan", apiVersion)
        if suitable || !driver.isEmpty {
            table.add(
                "  subgroup",
                subgroupSizeRange[0] == subgroupSizeRange[1]
                    ? "\(subgroupSize)" : "\(subgroupSize) (\(subgroupSizeRange[0]) to \(subgroupSizeRange[1]))")
        }
        let heaps = memoryHeaps.map { ByteFormat.text($0.bytes) + ($0.deviceLocal ? " device" : " host") }
        table.add("  memory", heaps.joined(separator: " + ") + (unifiedMemory ? ", shared with the host" : ""))
        table.add("  features", list(of: features.filter(\.value)))
        table.add("  lacks", list(of: features.filter { !$0.value }))
        for (label, key) in [
            ("  allocation", "allocation_bytes"), ("  buffer", "buffer_bytes"), ("  shared", "shared_memory_bytes"),
        ] {
            if let bytes = limits[key] { table.add(label, "at most " + ByteFormat.text(bytes)) }
        }
        table.add("  workgroup", "at most \(limits["workgroup_invocations"] ?? 0) invocations")
        table.add("  engine", suitable ? "can run it" : "cannot run it, lacks " + missing.joined(separator: ", "))
        for path in kernels { table.add("  " + path.operation, path.variant) }
        let heading = Sanitizer.stream.line("\(index): \(name) (\(kind))") + (chosen ? "  ← chosen" : "")
        return heading + "\n" + table.text
    }

    private func list(of names: [String: Bool]) -> String {
        names.isEmpty ? "none" : names.keys.sorted().map { $0.replacing("_", with: " ") }.joined(separator: ", ")
    }
}
