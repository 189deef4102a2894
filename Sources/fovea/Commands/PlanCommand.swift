import ArgumentParser
import Compute
import Foundation
import Models
import Telemetry

/// `fovea plan`: what device memory a model will take, before it is loaded.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Forecast the device memory a model takes, by purpose, and whether it fits.",
        discussion: "The forecast is the list from which loading allocates. Exit code 1 when it does not fit.")

    @OptionGroup var model: ModelArgument

    @Option(
        name: .long,
        help: ArgumentHelp("Plan for a device with so much memory of its own, for example 24GiB, instead of one that is here.", valueName: "size"))
    var deviceMemory: String?

    @Flag(name: .long, help: "List every buffer.")
    var buffers = false

    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = try model.path()
        let target: PlanTarget
        if let deviceMemory {
            guard let bytes = ByteSize.parse(deviceMemory) else {
                throw ValidationError("--device-memory: “\(deviceMemory)” is no size; write a number and KiB, MiB, GiB or TiB, for example 24GiB")
            }
            target = PlanTarget(name: "a device with \(ByteCount.text(bytes))", memory: bytes, isUnified: false)
        } else {
            let chosen = try Instance.choose(device.selector, from: Instance().devices())
            target = PlanTarget(name: chosen.name, memory: chosen.deviceHeapBytes, isUnified: chosen.hasUnifiedMemory)
        }
        let files = try ModelFiles(path: path)
        let model = try ModelRegistry.make(from: files)
        let plan = LoadPlan(model.plannedBuffers(unifiedMemory: target.isUnified))
        let report = PlanReport(
            path: path, architecture: try ModelRegistry.modelType(of: files), plan: plan, bytesPerToken: model.bytesPerToken, target: target,
            listsBuffers: buffers)
        if output.json { try JSONOutput.print(report) } else { try Console.writeLine(report.text) }
        if !report.fits {
            let missing = plan.total - target.memory
            throw ProgramError.unsuitableModel(
                model: self.model.model,
                problem: "it needs \(ByteCount.text(missing)) more than \(target.name) has; take a smaller model or a device with more memory")
        }
    }
}

/// What a plan is made for.
struct PlanTarget {
    let name: String
    let memory: Int
    let isUnified: Bool
}

struct PlanReport: Encodable {
    struct PlannedPart: Encodable {
        let purpose: String
        let label: String?
        let bytes: Int
    }

    let path: String
    let architecture: String
    let device: String
    let deviceMemory: Int
    let fits: Bool
    let total: Int
    let bytesPerToken: Int
    let purposes: [PlannedPart]
    let buffers: [PlannedPart]?

    init(path: String, architecture: String, plan: LoadPlan, bytesPerToken: Int, target: PlanTarget, listsBuffers: Bool) {
        self.path = path
        self.architecture = architecture
        device = target.name
        deviceMemory = target.memory
        fits = plan.total <= target.memory
        total = plan.total
        self.bytesPerToken = bytesPerToken
        let byPurpose = plan.bytesByPurpose
        purposes = MemoryPurpose.allCases.compactMap { purpose in
            byPurpose[purpose].map { PlannedPart(purpose: purpose.rawValue, label: nil, bytes: $0) }
        }
        buffers = listsBuffers ? plan.buffers.map { PlannedPart(purpose: $0.purpose.rawValue, label: $0.label, bytes: $0.bytes) } : nil
    }

    var text: String {
        var facts = TextTable(("", .left), ("", .left))
        facts.add("model", path)
        facts.add("architecture", architecture)
        facts.add("device", "\(device), \(ByteCount.text(deviceMemory))")
        var table = TextTable(("purpose", .left), ("bytes", .right))
        for part in purposes { table.add(part.purpose, ByteCount.text(part.bytes)) }
        table.add("total", ByteCount.text(total))
        var parts = [facts.text, table.text]
        if let buffers {
            var list = TextTable(("purpose", .left), ("buffer", .left), ("bytes", .right))
            for buffer in buffers { list.add(buffer.purpose, buffer.label ?? "", "\(buffer.bytes)") }
            parts.append(list.text)
        }
        parts.append((fits ? "fits; " : "does not fit; ") + "each token takes \(ByteCount.text(bytesPerToken)) of the KV cache above")
        return parts.joined(separator: "\n\n")
    }
}

/// Sizes as people write them.
enum ByteSize {
    /// `24GiB`, `512 MiB`, `1.5g`, `1000`; `nil` for anything else.
    static func parse(_ text: String) -> Int? {
        guard let match = text.lowercased().wholeMatch(of: /\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?\s*/), let number = Double(match.1) else {
            return nil
        }
        let powers: [Substring: Double] = ["k": 1, "m": 2, "g": 3, "t": 4]
        return Int(exactly: (number * pow(1024, match.2.flatMap { powers[$0] } ?? 0)).rounded())
    }
}
