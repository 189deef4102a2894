import ArgumentParser
import Compute
import Foundation
import Models

/// `fovea bench`: how fast a model runs here, and how near to what the device can do.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure a model on a device: first token, encoder, prefill, decode, cost of watching attention, time by kernel.",
        discussion: """
            Every figure is the fastest of several runs, beside ceilings measured on the same device in the same minute. \
            Keep results with --json and hold two of them side by side with --compare.
            """)

    @Argument(help: "The name of an installed model (`fovea models`), or a folder.")
    var model: String?

    @Option(name: .long, help: ArgumentHelp("Tokens decoded in each run.", valueName: "n"))
    var tokens = 64

    @Option(name: .long, help: ArgumentHelp("Runs of each measurement.", valueName: "n"))
    var repeats = 3

    @Option(
        name: .long, parsing: .upToNextOption, help: ArgumentHelp("Compare two saved results instead of measuring.", valueName: "A.json B.json"))
    var compare: [String] = []

    @Flag(name: .long, help: "Leave out the time to the first token, for which the program starts itself twice.")
    var skipFirstToken = false

    /// What the program starts itself with to measure that time.
    @Flag(name: .long, help: .hidden)
    var firstToken = false

    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if !compare.isEmpty {
            guard compare.count == 2, model == nil else { throw ValidationError("--compare takes two files of results, and no model") }
        } else if model == nil {
            throw ValidationError("Missing expected argument '<model>'")
        }
        guard (1...440).contains(tokens) else { throw ValidationError("--tokens: 1 to 440") }
        guard (1...100).contains(repeats) else { throw ValidationError("--repeats: 1 to 100") }
    }

    func run() async throws {
        guard let model else { return try runComparison() }
        let path = try ModelArgument.path(of: model)
        let device = try device.open()
        if firstToken { return try FirstToken.run(path: path, on: device) }
        let progress = ProgressLine()
        defer { progress.finish(nil) }
        func tell(_ phase: String) { if Console.hasLiveErrorStream { progress.show(phase, detail: nil, fraction: nil) } }
        var report = try measure(model, path: path, on: device, tell)
        if !skipFirstToken {
            tell("first token")
            let first = try FirstToken.measure(path: path, device: self.device.selector)
            report.firstTokenColdSeconds = first.cold
            report.firstTokenWarmSeconds = first.warm
        }
        progress.finish(nil)
        if output.json { try JSONOutput.print(report) } else { try Console.writeLine(report.text) }
    }

    private func measure(_ name: String, path: String, on device: Device, _ tell: (String) -> Void) throws -> BenchReport {
        let files = try ModelFiles(path: path)
        let measuring = Measuring(repeats: repeats)
        switch try ModelRegistry.make(from: files) {
        case let whisper as Whisper:
            return try SpeechBenchmark(device: device, tokens: tokens, measuring: measuring)
                .run(modelName: name, files: files, model: whisper, report: tell)
        case let text as any DecoderOnlyModel:
            return try TextBenchmark(device: device, tokens: tokens, measuring: measuring)
                .run(modelName: name, files: files, model: text, report: tell)
        default: throw ProgramError.unsuitableModel(model: name, problem: "speech models and decoders of text can be measured so far")
        }
    }

    private func runComparison() throws {
        let reports = try compare.map(Self.read)
        if output.json { try JSONOutput.print(reports) } else { try Console.writeLine(BenchReport.comparison(reports[0], reports[1])) }
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
            throw ProgramError.cannotReadFile(path: path, reason: "it is no result of `fovea bench --json`")
        }
    }
}
