import ArgumentParser
import Checkpoint
import Foundation
import AttentionTypes
import NumberFormats
import Generation
import Models
import Support
import Transformer

extension AttentionKind: ExpressibleByArgument {}

/// `fovea trace`: the tensors that a model computes, in a file to compare with another engine's.
struct TraceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trace",
        abstract: "Run a model greedily and write what it computed to a safetensors file, 32-bit floats.",
        discussion: """
            Names: features [mels, frames] or input_ids, decoder_input_ids, enc.hidden.i, enc.attn.L [heads, queries, keys], \
            enc.out, hidden.i, stepN.logits [queries, vocabulary], stepN.self.L and stepN.cross.L [heads, queries, keys], \
            generated_ids. Step 0 is the prompt, every further step one token. For pictures: pixel_values, vision.hidden.i, \
            vision.attn.L and image_features (after the number of tiles in models that cut pictures), or for Llama 3.2 Vision \
            vision.attn.local.L, vision.attn.global.L, vision.out and cross_attention_states; with several pictures, \
            names start with pictureN.

            The prompt is used as it is: without a chat format, and with special tokens where their text appears.
            """)

    @OptionGroup var model: ModelArgument

    @Option(name: .long, help: ArgumentHelp("A recording, for speech models; its first 30 s.", valueName: "file"))
    var audio: String?

    @Option(
        name: .long, help: ArgumentHelp("Tokens of the text, as raw ids.", valueName: "1,2,3"),
        transform: IDList.parse)
    var ids: [Int]?

    @Option(name: .long, help: ArgumentHelp("The text, instead of --ids.", valueName: "text"))
    var prompt: String?

    @Option(
        name: .long,
        help: ArgumentHelp("A picture; may be given several times.", valueName: "file"))
    var image: [String] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "First tokens of the decoder, as raw ids; by default the model's own (for speech, those of --language and --task).",
            valueName: "1,2,3"),
        transform: IDList.parse)
    var decoderIds: [Int]?

    @Option(
        name: .long,
        help: ArgumentHelp("Language of the default start tokens, as a code or a name.", valueName: "language"))
    var language = LanguageCode.english

    @Option(name: .long, help: "Task of the default start tokens.")
    var task = SpeechTask.transcribe

    @Option(name: .long, help: ArgumentHelp("Maximum number of tokens to generate.", valueName: "n"))
    var maxTokens = 32

    @Flag(name: .long, help: "End at the end-of-text token; by default the run goes on to --max-tokens.")
    var stopAtEnd = false

    @Option(
        name: .long, help: ArgumentHelp("Layers whose attention is written; all by default.", valueName: "0,3"),
        transform: IDList.parse)
    var layers: [Int]?

    @Option(
        name: .long,
        help: "Kind of attention to write: encoder, vision, self, cross; may be given several times; all by default.")
    var only: [AttentionKind] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Query rows of encoder attention that are written; all by default (for Whisper 9 MB per head and layer).",
            valueName: "0,10"),
        transform: IDList.parse)
    var encoderRows: [Int]?

    @Option(name: .long, help: ArgumentHelp("The file to write.", valueName: "file"))
    var out: String

    @OptionGroup var projector: ProjectorOption
    @OptionGroup var weights: WeightOptions
    @OptionGroup var dummy: DummyWeightsOption
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
        let files = try dummy.files(of: model.model, projector: projector.path, options: weights.load)
        let model = try ModelRegistry.make(from: files)
        try weights.check(model)
        let input = TraceInput(
            model: self.model.model, ids: ids, prompt: prompt,
            images: image.map { ($0 as NSString).expandingTildeInPath }, audio: audio,
            decoderIds: decoderIds, language: language.code, task: task)
        let tracer = try Tracer(model, from: files, input: input)
        for layer in layers ?? [] where !(0..<tracer.layers).contains(layer) {
            throw ValidationError("--layers: there is no layer \(layer); this model has \(tracer.layers)")
        }
        var options = TraceOptions()
        options.maximumTokens = maxTokens
        if stopAtEnd { options.endTokens = try tracer.endTokens() }
        options.selection = selection
        if let encoderRows { options.encoderRows = .list(encoderRows) }
        try FileOutput.check(out)
        let device = try device.open()
        try model.load(from: files, on: device) { _, _ in }
        defer {
            model.unload()
            device.savePipelineCache()
        }

        let writer = try SafetensorsWriter(path: out, metadata: ["format": "pt", "producer": "fovea trace"])
        var written: [Written] = []
        try tracer.run(options) { tensor in
            // Runs once for every tensor: the place to stop.
            try Task.checkCancellation()
            switch tensor.values {
            case .floats(let values): try writer.add(tensor.name, shape: tensor.shape, floats: values)
            case .integers(let values): try writer.add(tensor.name, shape: tensor.shape, integers: values)
            }
            written.append(Written(name: tensor.name, shape: tensor.shape))
        }
        try writer.finish()
        if output.json {
            try JSONOutput.print(written)
        } else {
            Console.say("\(written.count) tensors in \(Sanitizer.stream.line(out))")
        }
    }

    private var selection: AttentionTap.Selection {
        let kinds = only.isEmpty ? AttentionKind.allCases : only
        return kinds.reduce(.off) { $0.union(AttentionTap.Selection($1, layers: layers.map(Set.init))) }
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
