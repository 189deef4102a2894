import Support
import ArgumentParser
import Compute
import Foundation
import Models
import Planning

/// `fovea plan`: the device memory of a model, before it is loaded.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Forecast the device memory a model takes, by purpose, and whether it fits.",
        discussion:
            "A configuration without weights is enough. The forecast is the list of buffers that loading allocates. Exit code 1 if the model does not fit."
    )

    @Argument(
        help: "The name of an installed model or of a well-known one, a folder, a file of weights, or a config.json.")
    var model: String

    @Option(
        name: .long, help: ArgumentHelp("The vision part of a GGUF model, llama.cpp's mmproj file.", valueName: "file"))
    var mmproj: String?

    @OptionGroup var weights: WeightOptions

    @Option(
        name: .long,
        help: ArgumentHelp("Size of a picture that the model reads; may be given several times.", valueName: "WxH")
    )
    var image: [PictureSize] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Plan for a device with this much memory of its own, for example 24GiB, instead of one of this machine.",
            valueName: "size"),
        transform: ByteSize.argument)
    var deviceMemory: Int?

    @Flag(name: .long, help: "List every buffer.")
    var buffers = false

    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let location = try KnownConfigurations.location(of: model)
        var files =
            try (mmproj ?? location.projector).map { try ModelFiles(path: location.path, projector: $0) }
            ?? ModelFiles(planning: location.path)
        files.options = weights.load
        let target =
            if let bytes = deviceMemory {
                PlanTarget(name: "a device with \(ByteFormat.text(bytes))", memory: bytes, isUnified: false)
            } else {
                PlanTarget(try Instance.choose(device.selector, from: Instance().devices()))
            }
        var plan = try plan(files, on: target)
        if !buffers { plan.buffers = nil }
        if output.json { try JSONOutput.print(plan) } else { try Console.writeLine(plan.text) }
        if !plan.fits {
            let missing = plan.total - target.memory
            throw ProgramError.unsuitableModel(
                model: model,
                problem: "it needs \(ByteFormat.text(missing)) more than \(target.name) has; "
                    + (plan.suggestions.isEmpty
                        ? "use a smaller model or a device with more memory" : "the plan says what would make it fit"))
        }
    }

    private func plan(_ files: ModelFiles, on target: PlanTarget) throws -> MemoryPlan {
        let request = PlanRequest(
            model: model, context: weights.context, weights: weights.weights, pictures: image)
        do {
            return try Planner(files, on: target).plan(request)
        } catch let error as PlanningError {
            let name = if case .context = error { "--context" } else { "--image" }
            throw ProgramError.option(name: name, problem: "\(error)")
        }
    }
}

/// Sizes in bytes, as written on the command line.
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
