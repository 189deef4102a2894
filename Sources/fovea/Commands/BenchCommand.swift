import ArgumentParser
import Compute
import Foundation
import Models
import Playground

/// `fovea bench`: how fast a model runs here, and how near to what the device can do.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract:
            "Measure a model on a device: first token, encoder, prefill, decode, cost of capturing attention, time by kernel.",
        discussion: """
            Every figure is the median of several runs, beside ceilings measured on the same device at the same time. \
            Save results with --json and compare two of them with --compare.
            """)

    @Argument(
        help:
            "The name of an installed model (`fovea models`), a folder or file; with --dummy-weights a configuration, or the name of a well-known one."
    )
    var model: String?

    @Option(name: .long, help: ArgumentHelp("Tokens decoded in each run.", valueName: "n"))
    var tokens = 64

    @Option(name: .long, help: ArgumentHelp("Runs of each measurement.", valueName: "n"))
    var repeats = 5

    @Option(
        name: .long, parsing: .upToNextOption,
        help: ArgumentHelp("Compare two saved results instead of measuring.", valueName: "A.json B.json"))
    var compare: [String] = []

    @Flag(
        name: .long, help: "Measure the playground's screen instead of a model: frame time, key to screen, idle load.")
    var ui = false

    @Flag(name: .long, help: "Skip the time to the first token, which starts the program several times.")
    var skipFirstToken = false

    /// Option of the child process that measures that time.
    @Flag(name: .long, help: .hidden)
    var firstToken = false

    @OptionGroup var projector: ProjectorOption
    @OptionGroup var weights: WeightOptions
    @OptionGroup var dummy: DummyWeightsOption
    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if ui {
            guard compare.isEmpty, model == nil else { throw ValidationError("--ui takes no model and no --compare") }
        } else if !compare.isEmpty {
            guard compare.count == 2, model == nil else {
                throw ValidationError("--compare takes two files of results, and no model")
            }
        } else if model == nil {
            throw ValidationError("Missing expected argument '<model>'")
        }
        guard (1...440).contains(tokens) else { throw ValidationError("--tokens: 1 to 440") }
        guard (1...100).contains(repeats) else { throw ValidationError("--repeats: 1 to 100") }
    }

    func run() async throws {
        if ui {
            let figures = try await ScreenBenchmark.run()
            if output.json { try JSONOutput.print(figures) } else { try Console.writeLine(figures.text) }
            return
        }
        guard let model else { return try runComparison() }
        let files = try dummy.files(of: model, projector: projector.path, options: weights.load)
        let device = try device.open()
        if firstToken { return try FirstToken.run(files, on: device) }
        let progress = ProgressLine()
        defer { progress.finish(nil) }
        func tell(_ phase: String) {
            if Console.hasLiveErrorStream { progress.show(phase, detail: nil, fraction: nil) }
        }
        var report = try measure(model, files, on: device, tell)
        if !skipFirstToken {
            tell("first token")
            let first = try FirstToken.measure(arguments: childArguments(model), measuring: Measuring(repeats: repeats))
            report.firstTokenColdSeconds = first.cold
            report.firstTokenWarmSeconds = first.warm
        }
        progress.finish(nil)
        if output.json { try JSONOutput.print(report) } else { try Console.writeLine(report.text) }
    }

    /// The same model, for a process of its own.
    private func childArguments(_ model: String) -> [String] {
        let options: [(String, String?)] = [
            ("--weights", weights.weights?.rawValue), ("--context", weights.context.map(String.init)),
            ("--mmproj", projector.mmproj),
            ("--dummy-weights", dummy.dummyWeights?.rawValue), ("--device", device.selector),
        ]
        return [model] + options.flatMap { option, value in value.map { [option, $0] } ?? [] }
    }

    private func measure(_ name: String, _ files: ModelFiles, on device: Device, _ tell: (String) -> Void) throws
        -> BenchReport
    {
        let model = try ModelRegistry.make(from: files)
        try weights.check(model)
        return try Benchmark(device: device, tokens: tokens, measuring: Measuring(repeats: repeats))
            .run(modelName: name, files: files, model: model, report: tell)
    }

    private func runComparison() throws {
        let reports = try compare.map(Self.read)
        if output.json {
            try JSONOutput.print(reports)
        } else {
            try Console.writeLine(BenchReport.comparison(reports[0], reports[1]))
        }
    }

    private static func read(_ path: String) throws -> BenchReport {
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw ProgramError.cannotReadFile(path: path, reason: ErrorText.line(error))
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            return try decoder.decode(BenchReport.self, from: data)
        } catch {
            throw ProgramError.cannotReadFile(path: path, reason: "it is not a result of `fovea bench --json`")
        }
    }
}
