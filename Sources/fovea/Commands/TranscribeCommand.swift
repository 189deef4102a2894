import ArgumentParser
import Foundation
import Generation
import Speech
import Support

/// `fovea transcribe`: a transcript of a recording.
struct TranscribeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transcribe",
        abstract: "Transcribe a recording, with times of segments or words.",
        discussion: """
            Plain text appears segment by segment; subtitles and JSON at the end. Ctrl-C ends the command with the segments \
            finished until then.
            """)

    @OptionGroup var model: ModelArgument

    @Argument(help: "A recording: WAV, FLAC, Ogg, MP3 or AIFF, of any rate and length; - for standard input.")
    var audio: String

    @Option(name: .long, help: "Format of the transcript; by default that of the name of --out, else txt.")
    var format: TranscriptFormat?

    @Flag(name: .long, help: "Add times of words.")
    var words = false

    @Option(name: .long, help: ArgumentHelp("Write to a file instead of standard output.", valueName: "file"))
    var out: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Text before the recording, to set names, spelling and style.", valueName: "text"))
    var prompt: String?

    @OptionGroup var weights: WeightOptions
    @OptionGroup var speech: SpeechOptions
    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if output.json, let format, format != .json {
            throw ValidationError("--json and --format \(format.rawValue) exclude each other")
        }
    }

    private var chosenFormat: TranscriptFormat {
        if output.json { return .json }
        return format ?? out.flatMap { TranscriptFormat(rawValue: URL(filePath: $0).pathExtension.lowercased()) }
            ?? .txt
    }

    func run() async throws {
        // Cheap checks come before a model is loaded.
        let path = try model.location().path
        let recording = try SpeechSetup.recording(audio)
        if let out { try FileOutput.check(out) }
        let device = try device.open()
        let session = try SpeechSetup.session(path, options: weights.load, on: device)
        defer { device.savePipelineCache() }

        let format = chosenFormat
        let streams = format == .txt && out == nil
        var options = speech.transcription()
        options.words = words
        options.initialPrompt = prompt
        let transcript = try session.transcribe(recording, options: options, isCancelled: { Task.isCancelled }) {
            event in
            guard streams, case .segment(let segment) = event else { return }
            try Console.write(line(of: segment))
        }
        if transcript.segments.allSatisfy({ $0.text.allSatisfy(\.isWhitespace) }) {
            Console.say("fovea: the model found no words in \(Sanitizer.stream.line(audio))")
        }
        if streams { return }
        let text = try format.write(transcript, words: words)
        if let out { try FileOutput.write(text, to: out) } else { try Console.write(text) }
    }

    private func line(of segment: TranscriptSegment) -> String {
        let text = Sanitizer.stream.line(segment.text).trimmingCharacters(in: .whitespaces)
        guard words, let times = segment.words else { return text + "\n" }
        return times.map { word in
            let span = [word.start, word.end].map { TranscriptFormat.time($0, alwaysHours: false, decimalMark: ".") }
            return "\(span[0]) \(span[1]) \(Sanitizer.stream.line(word.text).trimmingCharacters(in: .whitespaces))\n"
        }.joined()
    }
}
