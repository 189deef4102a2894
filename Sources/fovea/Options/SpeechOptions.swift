import Support
import ArgumentParser
import Checkpoint
import Compute
import Foundation
import Generation
import Media
import Speech

extension SpeechTask: ExpressibleByArgument {}
extension TranscriptFormat: ExpressibleByArgument {}

/// How a speech model writes down what it hears.
struct SpeechOptions: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("The language spoken, for example en; found out by default.", valueName: "code")
    )
    var language: String?

    @Option(name: .long, help: "Write the words as spoken (transcribe) or in English (translate).")
    var task = SpeechTask.transcribe

    @Option(
        name: [.customLong("beams"), .customLong("beam")],
        help: ArgumentHelp("Beam search with so many beams; greedy by default.", valueName: "n"))
    var beam: Int?

    @Option(
        name: .long, parsing: .upToNextOption,
        help: ArgumentHelp(
            "Temperatures to try in turn until the text passes; 0 0.2 0.4 0.6 0.8 1 by default.", valueName: "t"))
    var temperature: [Float] = []

    @Option(name: .long, help: ArgumentHelp("Seed of the random choices at temperatures above 0.", valueName: "n"))
    var seed: UInt64?

    @Flag(name: .long, help: "Do not let the model write timestamps; segments are then whole windows.")
    var noTimestamps = false

    func transcription() -> TranscriptionOptions {
        var options = TranscriptionOptions()
        options.language = language
        options.task = task
        options.beamSize = beam
        if !temperature.isEmpty { options.temperatures = temperature }
        options.seed = seed
        options.timestamps = !noTimestamps
        return options
    }
}

/// Loading what a speech command needs, with progress on standard error.
enum SpeechSetup {
    /// A whole recording; a cut-off one is taken as far as it goes, and said to be so.
    static func recording(_ path: String) throws -> Recording {
        let recording = try AudioFile.load(path: (path as NSString).expandingTildeInPath, acceptTruncated: true)
        if recording.isTruncated { Console.warn("\(path) is cut off: its header promises more; what is there is used") }
        return recording
    }

    /// A speech model on a device.
    static func session(_ path: String, on device: Device) throws -> SpeechSession {
        let progress = ProgressLine()
        defer { progress.finish(nil) }
        let session = try SpeechSession(path: path, on: device) { done, total in
            guard Console.hasLiveErrorStream, total > 0 else { return }
            progress.show(
                "loading weights", detail: "\(ByteFormat.text(done)) of \(ByteFormat.text(total))",
                fraction: Double(done) / Double(total))
        }
        try Task.checkCancellation()
        return session
    }
}
