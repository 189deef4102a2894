import Support
import ArgumentParser
import Compute
import Foundation
import Generation

/// How an answer in text is chosen. Temperature, seed and beams are with the options of speech, which has them too.
struct TextGenerationOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Draw from the k likeliest tokens only.", valueName: "k"))
    var topK: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Draw from the likeliest tokens that together reach this probability.", valueName: "p"))
    var topP: Float?

    @Option(
        name: .long,
        help: ArgumentHelp("Draw from tokens at least this share as likely as the likeliest.", valueName: "p"))
    var minP: Float?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Draw from the tokens whose surprise is most typical, up to this probability.", valueName: "p"))
    var typicalP: Float?

    @Option(name: .long, help: ArgumentHelp("Divide the logits of tokens seen before; 1 is none.", valueName: "x"))
    var repetitionPenalty: Float = 1

    @Option(name: .long, help: ArgumentHelp("Lower the logits of tokens written before, once each.", valueName: "x"))
    var presencePenalty: Float = 0

    @Option(
        name: .long, help: ArgumentHelp("Lower the logits of tokens written before, for each time.", valueName: "x"))
    var frequencyPenalty: Float = 0

    @Option(
        name: .long,
        help: ArgumentHelp("Exponent of the length that a beam's log-probability is divided by.", valueName: "x"))
    var lengthPenalty = 1.0

    @Option(
        name: .long, help: ArgumentHelp("A text that ends the answer; may be given several times.", valueName: "text"))
    var stop: [String] = []

    @Option(name: .long, help: ArgumentHelp("Alternatives told of each token, with --json.", valueName: "n"))
    var alternatives = 0

    @Option(
        name: .long,
        help: ArgumentHelp("The form a conversation is given for the model, whatever its files say.", valueName: "name")
    )
    var chatFormat: String?

    @Flag(name: .long, help: "Continue the prompt as it is, without any chat format.")
    var raw = false

    func validate() throws {
        if raw, chatFormat != nil { throw ValidationError("--raw and --chat-format exclude each other") }
    }

    /// - Parameters:
    ///   - speech: the options that speech and text share.
    ///   - maximumTokens: nil leaves the default.
    func text(_ speech: SpeechOptions, maximumTokens: Int?) -> TextOptions {
        var options = TextOptions()
        options.sampling.temperature = speech.temperature.first ?? 0
        options.sampling.topK = topK
        options.sampling.topP = topP
        options.sampling.minP = minP
        options.sampling.typicalP = typicalP
        options.sampling.repetitionPenalty = repetitionPenalty
        options.sampling.presencePenalty = presencePenalty
        options.sampling.frequencyPenalty = frequencyPenalty
        options.sampling.seed = speech.seed
        options.beams = speech.beam ?? 1
        options.lengthPenalty = lengthPenalty
        options.stopStrings = stop.map(Self.unescaped)
        options.alternatives = alternatives
        options.chatForm = raw ? .raw : chatFormat.map { .named($0) } ?? .automatic
        if let maximumTokens { options.maximumTokens = maximumTokens }
        return options
    }

    /// `\n` and `\t` as a shell's user writes them.
    private static func unescaped(_ text: String) -> String {
        text.replacing("\\n", with: "\n").replacing("\\t", with: "\t")
    }
}

/// Loading a model of any kind, with progress on standard error.
enum ModelSetup {
    static func load(_ declared: DeclaredModel, on device: DeviceOptions) throws -> (
        session: any ModelSession, finish: () -> Void
    ) {
        let device = try device.open()
        let progress = ProgressLine()
        defer { progress.finish(nil) }
        let session = try declared.load(on: device) { done, total in
            guard Console.hasLiveErrorStream, total > 0 else { return }
            progress.show(
                "loading weights", detail: "\(ByteFormat.text(done)) of \(ByteFormat.text(total))",
                fraction: Double(done) / Double(total))
        }
        try Task.checkCancellation()
        return (session, { device.savePipelineCache() })
    }
}
