import Support
import ArgumentParser
import Compute
import Foundation
import Generation

/// Options of text generation. Temperature, seed and beams are among the options of speech, which has them too.
struct TextGenerationOptions: ParsableArguments {
    @Option(name: .long, help: ArgumentHelp("Sample from the k likeliest tokens only.", valueName: "k"))
    var topK: Int?

    @Option(
        name: .long,
        help: ArgumentHelp("Sample from the likeliest tokens that together reach this probability.", valueName: "p"))
    var topP: Float?

    @Option(
        name: .long,
        help: ArgumentHelp("Sample from tokens at least this share as likely as the likeliest.", valueName: "p"))
    var minP: Float?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Sample from the tokens with the most typical information content, up to this probability.", valueName: "p")
    )
    var typicalP: Float?

    @Option(
        name: .long, help: ArgumentHelp("Divides the logits of tokens seen before; 1 changes nothing.", valueName: "x"))
    var repetitionPenalty: Float = 1

    @Option(name: .long, help: ArgumentHelp("Lower the logits of tokens written before, once each.", valueName: "x"))
    var presencePenalty: Float = 0

    @Option(
        name: .long, help: ArgumentHelp("Lower the logits of tokens written before, for each time.", valueName: "x"))
    var frequencyPenalty: Float = 0

    @Option(
        name: .long,
        help: ArgumentHelp("Exponent of the length by which a beam's log-probability is divided.", valueName: "x"))
    var lengthPenalty = 1.0

    @Option(
        name: .long, help: ArgumentHelp("A text that ends the answer; may be given several times.", valueName: "text"))
    var stop: [String] = []

    @Option(
        name: .long, help: ArgumentHelp("Number of alternatives listed with each token, with --json.", valueName: "n"))
    var alternatives = 0

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Chat format of the conversation, instead of the one in the model's files.", valueName: "name")
    )
    var chatFormat: String?

    @Flag(
        inversion: .prefixedNo,
        help: "Let a model that can think before it answers, or not; by default as its chat template says.")
    var thinking: Bool?

    @Flag(name: .long, help: "Continue the prompt as it is, without any chat format.")
    var raw = false

    @OptionGroup var translation: TranslationOptions

    func validate() throws {
        if raw, chatFormat != nil { throw ValidationError("--raw and --chat-format exclude each other") }
        if !lengthPenalty.isFinite { throw ValidationError("--length-penalty: a number") }
        if alternatives < 0 { throw ValidationError("--alternatives: 0 or more") }
        do {
            try sampling.validate()
            if let chatFormat { _ = try ChatFormat.named(chatFormat) }
        } catch GenerationError.invalidOption(let name, _, let allowed) {
            throw ValidationError("--\(name.replacing(" ", with: "-")): \(allowed)")
        } catch let error as GenerationError {
            throw ValidationError("\(error)")
        }
    }

    /// Options given that only a model of text uses.
    var textOnly: [String] {
        let options = [
            ("--top-k", topK != nil), ("--top-p", topP != nil), ("--min-p", minP != nil),
            ("--typical-p", typicalP != nil), ("--repetition-penalty", repetitionPenalty != 1),
            ("--presence-penalty", presencePenalty != 0), ("--frequency-penalty", frequencyPenalty != 0),
            ("--length-penalty", lengthPenalty != 1), ("--stop", !stop.isEmpty), ("--raw", raw),
            ("--chat-format", chatFormat != nil), ("--thinking", thinking != nil),
        ]
        return options.filter(\.1).map(\.0) + translation.given.map(\.option)
    }

    private var sampling: SamplingOptions {
        var sampling = SamplingOptions()
        sampling.topK = topK
        sampling.topP = topP
        sampling.minP = minP
        sampling.typicalP = typicalP
        sampling.repetitionPenalty = repetitionPenalty
        sampling.presencePenalty = presencePenalty
        sampling.frequencyPenalty = frequencyPenalty
        return sampling
    }

    /// - Parameters:
    ///   - speech: the options that speech and text share.
    ///   - maximumTokens: nil leaves the default.
    func text(_ speech: SpeechOptions, maximumTokens: Int?) -> TextOptions {
        var options = TextOptions()
        options.sampling = sampling
        options.sampling.temperature = speech.temperature.first ?? 0
        options.sampling.seed = speech.seed
        options.beams = speech.beam ?? 1
        options.lengthPenalty = lengthPenalty
        options.stopStrings = stop.map(Self.unescaped)
        options.alternatives = alternatives
        options.thinking = thinking
        options.chatForm = raw ? .raw : chatFormat.map { .named($0) } ?? .automatic
        if let maximumTokens { options.maximumTokens = maximumTokens }
        options.sourceLanguage = translation.sourceLanguage
        options.targetLanguage = translation.targetLanguage
        return options
    }

    /// `\n` and `\t` as a shell's user writes them.
    private static func unescaped(_ text: String) -> String {
        text.replacing("\\n", with: "\n").replacing("\\t", with: "\t")
    }
}

/// Loads a model of any kind, with progress on standard error.
enum ModelSetup {
    static func load(_ declared: DeclaredModel, on device: DeviceOptions) throws -> (
        session: any ModelSession, finish: () -> Void
    ) {
        let device = try device.open()
        return (try load(declared, on: device), { device.savePipelineCache() })
    }

    static func load(_ declared: DeclaredModel, on device: Device) throws -> any ModelSession {
        let progress = ProgressLine()
        defer { progress.finish(nil) }
        let session = try declared.load(on: device) { done, total in
            guard Console.hasLiveErrorStream, total > 0 else { return }
            progress.show(
                "loading weights", detail: "\(ByteFormat.text(done)) of \(ByteFormat.text(total))",
                fraction: Double(done) / Double(total))
        }
        try Task.checkCancellation()
        return session
    }
}
