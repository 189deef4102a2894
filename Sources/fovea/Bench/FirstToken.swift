import Compute
import Foundation
import Models

/// The time from the program's start to the first token, with cold and with warm shader caches. Measured in child
/// processes whose caches are in a folder of their own. Models that take pictures within a text get text alone.
struct FirstToken {
    /// Seconds with no shader compiled yet.
    let cold: Double
    /// Seconds of the next start.
    let warm: Double

    /// Tokens of the prompt, and of the decoder's start behind an encoded source.
    private static let (promptTokens, startTokens) = (24, 4)

    /// Work of the child process: from opening the device to one token, which it reports in a line.
    static func run(_ files: ModelFiles, on device: Device) throws {
        let model = try ModelRegistry.make(from: files)
        try model.load(from: files, on: device) { _, _ in }
        defer { model.unload() }
        let needsSource = model.capabilities.needsSource
        let input = try BenchmarkInput(model, files: files)
        if needsSource, let source = input.source { try model.encode(source) }
        let prompt = input.text(needsSource ? Self.startTokens : Self.promptTokens)
        _ = try model.prefill(prompt, at: 0, logitRows: [prompt.count - 1])
        try Console.writeLine("first token")
        device.savePipelineCache()
    }

    /// Starts this program twice, several times over; medians.
    /// - Parameter arguments: the model and its options.
    static func measure(arguments: [String], measuring: Measuring) throws -> FirstToken {
        var (cold, warm): ([Double], [Double]) = ([], [])
        repeat {
            let folder = FileManager.default.temporaryDirectory.appending(
                path: "fovea-first-token-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            cold.append(try start(arguments, caches: folder))
            warm.append(try start(arguments, caches: folder))
        } while cold.count < measuring.repeats && cold[0] < Measuring.longRun
        return FirstToken(cold: Measuring.median(of: cold), warm: Measuring.median(of: warm))
    }

    /// Seconds from the program's start to its first token, with compiled shaders from and to a folder.
    private static func start(_ arguments: [String], caches folder: URL) throws -> Double {
        let process = Process()
        process.executableURL = try executable()
        process.arguments = ["bench", "--first-token"] + arguments
        process.environment = Folders.environment.merging(
            [
                "XDG_CACHE_HOME": folder.path, "MESA_SHADER_CACHE_DIR": folder.path,
                "__GL_SHADER_DISK_CACHE_PATH": folder.path,
            ]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        let began = ContinuousClock.now
        try process.run()
        _ = try output.fileHandleForReading.read(upToCount: 1)
        let seconds = began.duration(to: .now) / .seconds(1)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw ProgramError.option(
                name: "--first-token", problem: "the measured process ended with status \(process.terminationStatus)")
        }
        return seconds
    }

    private static func executable() throws -> URL {
        if let url = Bundle.main.executableURL { return url }
        throw ProgramError.option(name: "--first-token", problem: "the program cannot find its own file")
    }
}
