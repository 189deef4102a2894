import ArgumentParser
import Checkpoint
import Compute
import Foundation
import Formats
import Generation
import Media
import Models
import Tokenization
import Transformer

extension AttentionKind: ExpressibleByArgument {}

/// `fovea trace`: what a model computed, in a file that can be held against another engine's.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Run a model greedily and write what it computed to a safetensors file, 32-bit floats.",
        discussion: """
            Names: features [mels, frames], decoder_input_ids, enc.attn.L [heads, queries, keys], enc.out, stepN.logits \
            [queries, vocabulary], stepN.self.L and stepN.cross.L [heads, queries, keys], generated_ids. Step 0 is the prompt, \
            every further step one token.
            """)

    @OptionGroup var model: ModelArgument

    @Option(name: .long, help: ArgumentHelp("The recording a speech model hears; its first 30 s.", valueName: "file"))
    var audio: String?

    @Option(
        name: .long, help: ArgumentHelp("The tokens an encoder of text reads, as raw ids.", valueName: "1,2,3"), transform: IDList.parse)
    var ids: [Int]?

    @Option(
        name: .long,
        help: ArgumentHelp("The tokens the decoder starts with, as raw ids; by default the model's own for --language and --task.", valueName: "1,2,3"),
        transform: IDList.parse)
    var decoderIds: [Int]?

    @Option(name: .long, help: "The language of the default start tokens.")
    var language = "en"

    @Option(name: .long, help: "The task of the default start tokens.")
    var task = SpeechTask.transcribe

    @Option(name: .long, help: ArgumentHelp("The most tokens to generate.", valueName: "n"))
    var maxTokens = 32

    @Flag(name: .long, help: "End at the end-of-text token; by default the run goes on to --max-tokens.")
    var stopAtEnd = false

    @Option(name: .long, help: ArgumentHelp("The layers whose attention is written; all by default.", valueName: "0,3"), transform: IDList.parse)
    var layers: [Int]?

    @Option(name: .long, help: "The kinds of attention that are written: encoder, self, cross; all by default.")
    var only: [AttentionKind] = []

    @Option(
        name: .long,
        help: ArgumentHelp("The query rows of encoder attention that are written; all by default (for Whisper 9 MB a head and layer).", valueName: "0,10"),
        transform: IDList.parse)
    var encoderRows: [Int]?

    @Option(name: .long, help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String

    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if maxTokens < 1 { throw ValidationError("--max-tokens: at least 1") }
    }

    private struct Written: Encodable {
        let name: String
        let shape: [Int]
    }

    func run() async throws {
        let path = try model.path()
        if ids != nil {
            throw ProgramError.option(name: "--ids", problem: "this model's encoder hears sound; give it --audio FILE")
        }
        guard let audio else { throw ProgramError.option(name: "--audio", problem: "a speech model needs a recording") }
        let recording = try SpeechSetup.recording(audio)
        try FileOutput.check(out)
        let device = try device.open()
        let files = try ModelFiles(path: path)
        guard let whisper = try ModelRegistry.make(from: files) as? Whisper else {
            throw ProgramError.unsuitableModel(model: model.model, problem: "it is no speech model")
        }
        let configuration = whisper.configuration
        for layer in layers ?? [] where !(0..<max(configuration.encoderLayers, configuration.decoderLayers)).contains(layer) {
            throw ProgramError.option(name: "--layers", problem: "there is no layer \(layer)")
        }
        let start = try startTokens(path, configuration: configuration)
        var parameters = LogMelSpectrogram.Parameters()
        parameters.melCount = configuration.mels
        let features = try LogMelSpectrogram(parameters).window(recording.samples)
        try whisper.load(from: files, on: device) { _, _ in }
        defer {
            whisper.unload()
            device.savePipelineCache()
        }

        let writer = try SafetensorsWriter(path: out, metadata: ["format": "pt", "producer": "fovea trace"])
        var written: [Written] = []
        func add(_ tensor: TraceTensor) throws {
            // The one place that runs once for every tensor: where a stop is heard.
            try Task.checkCancellation()
            switch tensor.values {
            case .floats(let values): try writer.add(tensor.name, shape: tensor.shape, floats: values)
            case .integers(let values): try writer.add(tensor.name, shape: tensor.shape, integers: values)
            }
            written.append(Written(name: tensor.name, shape: tensor.shape))
        }
        try add(TraceTensor("features", shape: [features.melCount, features.frameCount], floats: features.values))
        try add(TraceTensor("decoder_input_ids", integers: start.ids))
        var options = TraceOptions()
        options.maximumTokens = maxTokens
        if stopAtEnd, let end = start.end { options.endTokens = [end] }
        options.selection = selection
        if let encoderRows { options.encoderRows = .list(encoderRows) }
        try whisper.trace(start: start.ids, options: options, encode: { try whisper.encode(logMel: features.values) }, emit: add)
        try writer.finish()
        if output.json {
            try JSONOutput.print(written)
        } else {
            Console.say("\(written.count) tensors in \(HarmlessText.line(out))")
        }
    }

    private var selection: AttentionTap.Selection {
        let kinds = only.isEmpty ? [.encoder, .selfAttention, .cross] : only
        return kinds.reduce(.off) { $0.union(AttentionTap.Selection($1, layers: layers.map(Set.init))) }
    }

    /// The ids given, or the model's own prompt. A tokenizer is needed only for the latter and for the end token.
    private func startTokens(_ path: String, configuration: Whisper.Configuration) throws -> (ids: [Int], end: Int?) {
        if let decoderIds {
            for id in decoderIds where !(0..<configuration.vocabulary).contains(id) {
                throw ProgramError.option(name: "--decoder-ids", problem: "\(id) is not in the vocabulary of \(configuration.vocabulary)")
            }
            guard !decoderIds.isEmpty, decoderIds.count < configuration.textPositions else {
                throw ProgramError.option(name: "--decoder-ids", problem: "1 to \(configuration.textPositions - 1) ids")
            }
            let end = stopAtEnd ? try WhisperTokens(Tokenizer(contentsOf: URL(filePath: path))).endOfText : nil
            return (decoderIds, end)
        }
        let tokens = try SpeechTokens(Tokenizer(contentsOf: URL(filePath: path)))
        var ids = [tokens.startOfTranscript]
        if tokens.isMultilingual {
            guard let spoken = tokens.languages.first(where: { $0.code == language }) else {
                throw GenerationError.unknownLanguage(language, known: tokens.languages.map(\.code))
            }
            guard let word = task == .transcribe ? tokens.transcribe : tokens.translate else {
                throw GenerationError.missingToken("<|\(task.rawValue)|>")
            }
            ids += [spoken.token, word]
        } else if task == .translate {
            throw GenerationError.monolingual(asked: "translation")
        }
        guard let noTimestamps = tokens.noTimestamps else { throw GenerationError.missingToken("<|notimestamps|>") }
        return (ids + [noTimestamps], tokens.endOfText)
    }
}

/// Numbers separated by commas or spaces.
enum IDList {
    static func parse(_ text: String) throws -> [Int] {
        try text.split(whereSeparator: { $0 == "," || $0 == " " }).map { part in
            guard let number = Int(part), number >= 0 else {
                throw ValidationError("“\(part)” is no number of 0 or more")
            }
            return number
        }
    }
}
