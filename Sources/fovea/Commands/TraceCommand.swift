import ArgumentParser
import Checkpoint
import Foundation
import ModelStore
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

            With --batch FILE it traces the rows of a JSON Lines file, {"custom_id": "a", "prompt": …, "image": …, "audio": …} or \
            bodies of OpenAI's batch API, and writes into the folder --out for each shard a .safetensors file with \
            custom_id/stepN.cross.L, its index .jsonl, and a .done.json when it is complete. A run that was stopped goes on \
            behind the last row. With --worker rows come from standard input, and a line of JSON goes out for each.
            """)

    @Argument(help: "The name of an installed model (`fovea models`), a folder, or a file of weights.")
    var model: String?

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

    @OptionGroup var translation: TranslationOptions

    @Option(name: .long, help: ArgumentHelp("Maximum number of tokens to generate.", valueName: "n"))
    var maxTokens = 32

    @Flag(name: .long, help: "End at the end-of-text token; by default the run goes on to --max-tokens.")
    var stopAtEnd = false

    @Option(
        name: .long, help: ArgumentHelp("Layers whose attention is written; all by default.", valueName: "0,3"),
        transform: IDList.parse)
    var layers: [Int]?

    @Option(
        name: [.customLong("only"), .customLong("kinds")],
        help:
            "Kind of attention to write: encoder, vision, self, cross; may be given several times; all by default, of a batch the kind that the screen shows."
    )
    var only: [AttentionKind] = []

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Query rows of encoder attention that are written; all by default (for Whisper 9 MB per head and layer).",
            valueName: "0,10"),
        transform: IDList.parse)
    var encoderRows: [Int]?

    @Option(
        name: .long,
        help: ArgumentHelp("The file to write; the folder, with --batch and --worker.", valueName: "path"))
    var out: String?

    @OptionGroup(title: "Many inputs") var batch: BatchOptions

    @OptionGroup var projector: ProjectorOption
    @OptionGroup var weights: WeightOptions
    @OptionGroup var dummy: DummyWeightsOption
    @OptionGroup var device: DeviceOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if maxTokens < 1 { throw ValidationError("--max-tokens: at least 1") }
        if batch.status != nil || batch.merge != nil { return }
        if model == nil { throw ValidationError("Missing expected argument '<model>'") }
        if out == nil { throw ValidationError("Missing expected argument '--out <path>'") }
        guard batch.hasManyInputs else { return }
        let single =
            [
                ("--audio", audio != nil), ("--ids", ids != nil), ("--prompt", prompt != nil),
                ("--image", !image.isEmpty),
                ("--decoder-ids", decoderIds != nil), ("--encoder-rows", encoderRows != nil),
            ] + translation.given.map { ($0.option, true) }
        for (option, isGiven) in single where isGiven {
            throw ValidationError("\(option): the input comes from the rows")
        }
    }

    private struct Written: Encodable {
        let name: String
        let shape: [Int]
    }

    func run() async throws {
        if let folder = batch.status { return try printStatus(of: BatchFolder(path: folder)) }
        if let folder = batch.merge {
            let rows = try BatchMerge.run(BatchFolder(path: folder))
            return Console.say("\(rows) rows in \(Sanitizer.stream.line(BatchFolder(path: folder).manifest))")
        }
        guard let name = model, let out else { return }
        let files = try dummy.files(of: name, projector: projector.path, options: weights.traceLoad)
        let model = try ModelRegistry.make(from: files)
        try weights.check(model)
        let resources = TraceResources(model, from: files)
        if batch.hasManyInputs { return try traceRows(resources, name: name, out: out) }
        let input = TraceInput(
            model: name, ids: ids, prompt: prompt,
            images: image.map { ($0 as NSString).expandingTildeInPath }, audio: audio,
            decoderIds: decoderIds, language: language.code, task: task,
            sourceLanguage: translation.sourceLanguage, targetLanguage: translation.targetLanguage)
        try translation.check(LanguageCodes(of: model, files), family: model.family)
        let tracer = try Tracer(resources, input: input)
        try check(layers, of: model)
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

    private func check(_ layers: [Int]?, of model: any Model) throws {
        let count = max(model.encoderLayers, model.decoder.layerCount)
        for layer in layers ?? [] where !(0..<count).contains(layer) {
            throw ValidationError("--layers: there is no layer \(layer); this model has \(count)")
        }
    }

    private func printStatus(of folder: BatchFolder) throws {
        let status = try BatchStatus(folder)
        if output.json { try JSONOutput.print(status) } else { try Console.writeLine(status.text) }
    }

    /// Traces the rows of a file, or of standard input.
    private func traceRows(_ resources: TraceResources, name: String, out: String) throws {
        try check(layers, of: resources.model)
        let kinds = only.isEmpty ? [resources.model.capabilities.watchedAttention] : only
        let selection = batch.selection(kinds: kinds, layers: layers)
        let digest = try resources.files.checkpoint.files.map(FileDigest.sha256(ofFile:)).joined(separator: ",")
        let folder = BatchFolder(path: (out as NSString).expandingTildeInPath)
        try FileManager.default.createDirectory(atPath: folder.path, withIntermediateDirectories: true)
        var shard = BatchShard.whole
        if batch.batch != nil {
            let known = try BatchSettings.read(folder)?.shards
            shard =
                try batch.shard ?? BatchShard.slurmTask(ProcessInfo.processInfo.environment, known: known) ?? .whole
            try BatchSettings(
                modelSha256: digest, shards: shard.count, maximumTokens: maxTokens, stopAtEnd: stopAtEnd,
                selection: selection, version: Version.current
            ).agree(with: folder)
            if FileManager.default.fileExists(atPath: folder.done(shard)) {
                return Console.say("\(shard.name) is already complete")
            }
        }
        func tracer(device: String) -> RowTracer {
            RowTracer(
                resources: resources, selection: selection, maximumTokens: maxTokens, stopAtEnd: stopAtEnd,
                modelDigest: digest, device: device)
        }
        // The forecast needs no device: too large a result is said before the weights are loaded.
        var rows = 0
        if let source = batch.batch {
            let forecast = try BatchRun(
                source: source, model: name, shard: shard, folder: folder, tracer: tracer(device: "")
            ).forecast()
            rows = forecast.rows
            let size = forecast.bytes.map { ", about \(ByteFormat.text($0)) at most by the first" } ?? ""
            Console.say("\(rows) rows in \(shard.name)\(size)")
        }
        let device = try device.open()
        try resources.model.load(from: resources.files, on: device) { _, _ in }
        defer {
            resources.model.unload()
            device.savePipelineCache()
        }
        let loaded = tracer(device: device.properties.name)
        guard let source = batch.batch else {
            return try TraceWorker(model: name, folder: folder.path, tracer: loaded).run()
        }
        let result = try BatchRun(source: source, model: name, shard: shard, folder: folder, tracer: loaded)
            .run(rows: rows)
        let failed = result.failed > 0 ? ", of which \(result.failed) failed (the index says why)" : ""
        Console.say("\(result.rows) rows\(failed) in \(Sanitizer.stream.line(folder.tensors(shard)))")
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
