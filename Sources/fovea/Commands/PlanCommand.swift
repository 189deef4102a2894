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
        discussion:
            "A configuration is enough: the weights need not be there. The forecast is the list from which loading allocates. Exit code 1 when it does not fit."
    )

    @Argument(
        help: "The name of an installed model or of a well-known one, a folder, a file of weights, or a config.json.")
    var model: String

    @Option(
        name: .long, help: ArgumentHelp("The file of a vision tower that belongs to a GGUF file.", valueName: "file"))
    var mmproj: String?

    @OptionGroup var weights: WeightOptions

    @Option(
        name: .long,
        help: ArgumentHelp("A picture the model is to read, by its size; may be given several times.", valueName: "WxH")
    )
    var image: [PictureSize] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Plan for a device with so much memory of its own, for example 24GiB, instead of one that is here.",
            valueName: "size"),
        transform: ByteSize.argument)
    var deviceMemory: Int?

    @Flag(name: .long, help: "List every buffer.")
    var buffers = false

    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = try KnownConfigurations.pathOrName(model)
        let target: PlanTarget
        if let bytes = deviceMemory {
            target = PlanTarget(name: "a device with \(ByteCount.text(bytes))", memory: bytes, isUnified: false)
        } else {
            let chosen = try Instance.choose(device.selector, from: Instance().devices())
            target = PlanTarget(name: chosen.name, memory: chosen.deviceHeapBytes, isUnified: chosen.hasUnifiedMemory)
        }
        var files = try mmproj.map { try ModelFiles(path: path, projector: $0) } ?? ModelFiles(planning: path)
        files.options = weights.load
        let forecast = try Forecast(files, on: target, pictures: image)
        let report = PlanReport(
            forecast, path: path, target: target, suggestions: forecast.suggestions(files, for: target),
            listsBuffers: buffers)
        if output.json { try JSONOutput.print(report) } else { try Console.writeLine(report.text) }
        if !report.fits {
            let missing = report.total - target.memory
            throw ProgramError.unsuitableModel(
                model: model,
                problem: "it needs \(ByteCount.text(missing)) more than \(target.name) has; "
                    + (report.suggestions.isEmpty
                        ? "take a smaller model or a device with more memory" : "the plan says what would make it fit"))
        }
    }
}

/// Sizes as people write them.
enum ByteSize {
    static func argument(_ text: String) throws -> Int {
        if let bytes = parse(text) { return bytes }
        throw ValidationError("“\(text)” is no size; write a number and KiB, MiB, GiB or TiB, for example 24GiB")
    }

    /// `24GiB`, `512 MiB`, `1.5g`, `1000`; `nil` for anything else.
    static func parse(_ text: String) -> Int? {
        guard let match = text.lowercased().wholeMatch(of: /\s*(\d+(?:\.\d+)?)\s*(?:([kmgt])(?:i?b)?|b)?\s*/),
            let number = Double(match.1)
        else {
            return nil
        }
        let powers: [Substring: Double] = ["k": 1, "m": 2, "g": 3, "t": 4]
        return Int(exactly: (number * pow(1024, match.2.flatMap { powers[$0] } ?? 0)).rounded())
    }
}
