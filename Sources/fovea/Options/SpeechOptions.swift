import Support
import ArgumentParser
import Checkpoint
import Compute
import Foundation
import Generation
import Media
import Models
import Speech

extension SpeechTask: ExpressibleByArgument {}
extension TranscriptFormat: ExpressibleByArgument {}

/// A language by code or English name: `fr`, `en-US`, `French`.
struct LanguageCode: ExpressibleByArgument {
    let code: String

    static let english = LanguageCode(code: "en")
    var defaultValueDescription: String { code }

    private init(code: String) { self.code = code }

    init?(argument: String) {
        guard let code = SpeechLanguage.code(of: argument) else { return nil }
        self.code = code
    }

    static let help = ArgumentHelp(
        "Spoken language, as a code or a name: fr, en-US, French; detected by default.", valueName: "language")
}

/// Options of transcription. Text generation shares the temperature, the seed and the beams.
struct SpeechOptions: ParsableArguments {
    @Option(name: .long, help: LanguageCode.help)
    var language: LanguageCode?

    @Option(name: .long, help: "Write the words as spoken (transcribe) or in English (translate).")
    var task = SpeechTask.transcribe

    @Option(
        name: [.customLong("beams"), .customLong("beam")],
        help: ArgumentHelp("Number of beams of a beam search; greedy by default.", valueName: "n"))
    var beam: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Samples at temperatures above 0, of which a speech model keeps the likeliest; 1 by default.",
            valueName: "n"))
    var bestOf: Int?

    @Option(
        name: .long, parsing: .upToNextOption,
        help: ArgumentHelp(
            "Temperatures to try in turn until the text passes the checks; 0 0.2 0.4 0.6 0.8 1 by default.",
            valueName: "t"))
    var temperature: [Float] = []

    @Option(name: .long, help: ArgumentHelp("Seed of the random choices at temperatures above 0.", valueName: "n"))
    var seed: UInt64?

    @Flag(name: .long, help: "Do not let the model write timestamps; segments are then whole windows.")
    var noTimestamps = false

    func validate() throws {
        if let beam, beam < 1 { throw ValidationError("--beams: at least 1") }
        if let bestOf, bestOf < 1 { throw ValidationError("--best-of: at least 1") }
        for value in temperature where !(value >= 0 && value.isFinite) {
            throw ValidationError("--temperature: 0 or more")
        }
    }

    /// Options given that only a speech model uses.
    var speechOnly: [String] {
        let options = [
            ("--language", language != nil), ("--task", task != .transcribe), ("--best-of", bestOf != nil),
            ("--no-timestamps", noTimestamps), ("several --temperature", temperature.count > 1),
        ]
        return options.filter(\.1).map(\.0)
    }

    func transcription() -> TranscriptionOptions {
        var options = TranscriptionOptions()
        options.language = language?.code
        options.task = task
        options.beamSize = beam
        if let bestOf { options.bestOf = bestOf }
        if !temperature.isEmpty { options.temperatures = temperature }
        options.seed = seed
        options.timestamps = !noTimestamps
        return options
    }
}

/// Loads recordings and speech models, with progress on standard error.
enum SpeechSetup {
    /// Loads a whole recording; warns where its end is missing.
    static func recording(_ path: String) throws -> Recording {
        let expanded = (path as NSString).expandingTildeInPath
        let streamed = try StreamedFile(expanded)
        let recording = try AudioFile.load(path: streamed?.path ?? expanded, acceptTruncated: true)
        if recording.isTruncated {
            Console.warn("\(path) is cut off: its header announces more; the samples that are there are used")
        }
        return recording
    }

    /// A speech model on a device.
    static func session(_ path: String, options: LoadOptions, on device: Device) throws -> any TranscribingSession {
        let progress = ProgressLine()
        defer { progress.finish(nil) }
        let session = try TranscribingSessions.load(path: path, options: options, on: device) { done, total in
            guard Console.hasLiveErrorStream, total > 0 else { return }
            progress.show(
                "loading weights", detail: "\(ByteFormat.text(done)) of \(ByteFormat.text(total))",
                fraction: Double(done) / Double(total))
        }
        try Task.checkCancellation()
        return session
    }
}
