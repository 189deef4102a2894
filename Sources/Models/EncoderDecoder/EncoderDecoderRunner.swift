import Compute
import AttentionTypes
import NumberFormats
import Transformer

/// An encoder-decoder model on a device: its memory, the source that has been read, and the passes of its decoder. The
/// architectures bring the layers; what is the same for all of them is here once.
package final class EncoderDecoderRunner {
    /// The sizes that caches and read-back follow from.
    struct Shape {
        /// The model's name in messages.
        var name: String
        /// The decoder's vocabulary.
        var vocabulary: Int
        var decoderLayers: Int
        var decoderHeads: Int
        /// Key/value heads × head dimension.
        var keyValueWidth: Int
        /// Positions of the source and of the decoder there is memory for.
        var sourcePositions: Int
        var positions: Int
    }

    let shape: Shape
    let parameters: ParameterList
    private let workspace: Workspace
    private let decoder: any CrossDecoder
    private let resources: [any DeviceResource]
    private let selfCache: KeyValueCache
    private let crossCache: KeyValueCache
    private var engine: Engine?
    private var preparation: KernelPreparation?

    /// What exists only while the model is on a device.
    struct Engine {
        let device: Device
        let stream: CommandStream
        let stepper: DecodeStepper
        let tap: AttentionTap
    }

    private struct Source {
        let count: Int
        let mask: Tensor?
        let output: Tensor
    }
    private var source: Source?

    /// Position of the next token.
    package private(set) var position = 0
    /// Hypotheses that decode together.
    package private(set) var hypotheses = 1
    private var memoryRevision = 0

    /// Keeps the hidden states of passes over many positions, where the architecture shows them.
    var keepsHiddenStates = false
    private var hiddenStates: [(index: Int, shape: [Int], values: [Float])] = []

    init(
        shape: Shape, parameters: ParameterList, workspace: Workspace, decoder: any CrossDecoder,
        resources: [any DeviceResource]
    ) {
        self.shape = shape
        self.parameters = parameters
        self.workspace = workspace
        self.decoder = decoder
        self.resources = resources
        selfCache = KeyValueCache(
            purpose: .selfKV, layers: shape.decoderLayers, capacity: shape.positions, width: shape.keyValueWidth)
        crossCache = KeyValueCache(
            purpose: .crossKV, layers: shape.decoderLayers, capacity: shape.sourcePositions, width: shape.keyValueWidth)
    }

    deinit { preparation?.stop() }

    // MARK: Memory

    /// The device buffers the model takes, in the formats assigned, on a device with or without memory of its own.
    func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] {
        WeightArenas(parameters).plannedBuffers
            + [workspace.plannedBuffer, selfCache.plannedBuffer, crossCache.plannedBuffer]
            + resources.flatMap(\.plannedBuffers)
            + DecodeStepper.plannedBuffers(
                vocabulary: shape.vocabulary, maximumTokens: shape.positions, unifiedMemory: unifiedMemory)
    }

    /// KV-cache bytes one more token costs.
    var bytesPerToken: Int { selfCache.bytesPerPosition }

    /// Puts the model on a device.
    /// - Parameter encodeSample: encodes an input of no meaning.
    func load(
        from source: WeightSource, on device: Device, progress: (Int, Int) -> Void, encodeSample: () throws -> Void
    ) throws {
        unload()
        do {
            let (loader, arenas) = (WeightLoader(device: device, source: source), WeightArenas(parameters))
            try loader.allocate(arenas)
            try workspace.allocate(on: device)
            try selfCache.allocate(on: device)
            try crossCache.allocate(on: device)
            for resource in resources { try resource.allocate(on: device) }
            let stream = try CommandStream(device: device)
            engine = Engine(
                device: device, stream: stream,
                stepper: try DecodeStepper(
                    stream: stream, vocabulary: shape.vocabulary, maximumTokens: shape.positions),
                tap: AttentionTap(device: device))
            let kernels = KernelPreparation(try stream.dryRun { try rehearse(encodeSample) }, on: device)
            preparation = kernels
            try loader.fill(arenas, deriving: resources, on: stream, progress: progress)
            kernels.waitForPipelines()
        } catch {
            unload()
            throw error
        }
    }

    /// Issues what a first answer takes, on an input of no meaning.
    private func rehearse(_ encodeSample: () throws -> Void) throws {
        try encodeSample()
        _ = try prefill([0], at: 0, logitRows: [0])
        if position < shape.positions { _ = try advance(tokens: [0], parents: nil) }
        (source, position) = (nil, 0)
    }

    /// Takes the model off its device; all its memory is freed.
    func unload() {
        preparation?.stop()
        preparation = nil
        engine?.stepper.forgetRecordings()
        engine = nil
        source = nil
        parameters.release()
        workspace.release()
        selfCache.release()
        crossCache.release()
        for resource in resources { resource.release() }
        hiddenStates = []
        position = 0
        hypotheses = 1
    }

    func loaded() throws -> Engine {
        guard let engine else { throw ModelError.notLoaded(model: shape.name) }
        return engine
    }

    /// The tap on this model's attention, while it is loaded.
    package var tap: AttentionTap? { engine?.tap }
    /// The stream this model's work goes through, while it is loaded.
    package var stream: CommandStream? { engine?.stream }

    // MARK: The source

    /// Runs an encoder and computes every layer's cross-attention keys and values from what it returns.
    /// - Parameters:
    ///   - mask: `[1, positions]`, added to the decoder's scores of the source's positions; it must stay as it is.
    ///   - body: issues the encoder and returns its output, `[positions, size]`.
    func encode(mask: Tensor? = nil, _ body: (Engine, HiddenStateObserver?) throws -> Tensor) throws {
        let engine = try loaded()
        hiddenStates = []
        let output = try body(engine, observer(engine))
        try decoder.remember(source: output, in: crossCache, on: engine.stream)
        try engine.stream.finish()
        // Recorded steps attend to a source of one length, with or without a mask.
        if source?.count != output.rows || (source?.mask == nil) != (mask == nil) { memoryRevision += 1 }
        source = Source(count: output.rows, mask: mask, output: output)
        position = 0
    }

    func readEncoderOutput() throws -> (shape: [Int], values: [Float]) {
        let engine = try loaded()
        guard let output = source?.output else { throw ModelError.nothingEncoded(model: shape.name) }
        return ([output.rows, output.columns], try engine.stream.read(output))
    }

    private func observer(_ engine: Engine) -> HiddenStateObserver? {
        guard keepsHiddenStates else { return nil }
        return { [unowned self] index, state in
            hiddenStates.append((index, [state.rows, state.columns], try engine.stream.read(state)))
        }
    }

    /// The hidden states that passes since the last call showed.
    func takeHiddenStates() -> [(index: Int, shape: [Int], values: [Float])] {
        defer { hiddenStates = [] }
        return hiddenStates
    }

    // MARK: The decoder

    /// Makes room for hypotheses that decode together. What the cache held is lost when its memory has to grow.
    package func reserve(hypotheses count: Int) throws {
        let engine = try loaded()
        precondition(count >= 1 && count <= DecodeStepper.maximumRows)
        if try selfCache.ensure(hypotheses: count, on: engine.device) {
            engine.stepper.forgetRecordings()
            memoryRevision += 1
            position = 0
            hypotheses = 1
        }
    }

    /// Runs `tokens` at positions from `start`.
    /// - Parameter logitRows: rows whose logits are wanted.
    /// - Returns: logits by row, `[vocabulary]` each.
    package func prefill(_ tokens: [Int], at start: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        let engine = try loaded()
        guard (0...position).contains(start) else {
            throw TransformerError.inputShape(what: "the position of new tokens", expected: [position], actual: [start])
        }
        guard tokens.count <= shape.positions - start else {
            throw TransformerError.contextOverflow(
                model: shape.name, positions: start + tokens.count, limit: shape.positions)
        }
        let ids = try engine.stepper.upload(tokens: tokens)
        guard let source else { throw ModelError.nothingEncoded(model: shape.name) }
        hypotheses = 1
        position = start
        try decoder.prefill(
            ids, firstPosition: start, pass(source, observe: observer(engine), tap: engine.tap, on: engine.stream))
        position = start + tokens.count

        var result: [Int: [Float]] = [:]
        let wanted = logitRows.filter { (0..<tokens.count).contains($0) }.sorted()
        for run in wanted.contiguousRuns(limit: DecodeStepper.maximumRows) {
            try decoder.project(run, into: engine.stepper.logits(rows: run.count), on: engine.stream)
            try engine.stepper.issueReadback(rows: run.count, on: engine.stream)
            try engine.stream.finish()
            for (row, logits) in zip(run, engine.stepper.readLogits(rows: run.count)) { result[row] = logits }
        }
        try engine.stream.finish()
        return result
    }

    /// Lets `count` hypotheses continue what has run so far. `reserve` must have made room.
    package func fork(hypotheses count: Int) throws {
        let engine = try loaded()
        precondition(count <= selfCache.hypotheses, "reserve room for hypotheses first")
        if count > 1 {
            try selfCache.reorder(parents: Array(repeating: 0, count: count), positions: position, on: engine.stream)
        }
        hypotheses = count
    }

    /// Continues with one hypothesis alone.
    package func keep(hypothesis: Int) throws {
        let engine = try loaded()
        try selfCache.reorder(parents: [hypothesis], positions: position, on: engine.stream)
        try engine.stream.finish()
        hypotheses = 1
    }

    /// Continues: hypothesis i takes up where `parents[i]` was, with `tokens[i]`.
    /// - Returns: logits per hypothesis, and the watched attention rows per hypothesis.
    package func advance(tokens: [Int], parents: [Int]?) throws -> (logits: [[Float]], attention: [[AttentionWeights]])
    {
        let engine = try loaded()
        guard let source else { throw ModelError.nothingEncoded(model: shape.name) }
        guard position < shape.positions else {
            throw TransformerError.contextOverflow(model: shape.name, positions: position + 1, limit: shape.positions)
        }
        precondition(tokens.count <= hypotheses && !tokens.isEmpty)
        if let parents { try selfCache.reorder(parents: parents, positions: position, on: engine.stream) }
        try engine.tap.prepareDecode(
            hypotheses: tokens.count,
            layers: (0..<shape.decoderLayers).flatMap { layer in
                [
                    (
                        kind: AttentionKind.selfAttention, layer: layer, heads: shape.decoderHeads,
                        keyCapacity: shape.positions
                    ),
                    (kind: AttentionKind.cross, layer: layer, heads: shape.decoderHeads, keyCapacity: source.count),
                ]
            })
        let rows = tokens.count
        let logits = try engine.stepper.run(
            ids: tokens, position: position, tap: engine.tap, memoryRevision: memoryRevision
        ) { stream in
            try decoder.decode(
                rows: rows, step: engine.stepper.step, pass(source, observe: nil, tap: engine.tap, on: stream))
            try decoder.project(0..<rows, into: engine.stepper.logits(rows: rows), on: stream)
        }
        position += 1
        let seen = position
        let attention = engine.tap.collectDecode { $0 == .selfAttention ? seen : source.count }
        return (logits, attention)
    }

    private func pass(_ source: Source, observe: HiddenStateObserver?, tap: AttentionTap, on stream: CommandStream)
        -> CrossDecoderPass
    {
        CrossDecoderPass(
            selfCache: selfCache, crossCache: crossCache, sourceCount: source.count, sourceMask: source.mask, tap: tap,
            observe: observe,
            stream: stream)
    }
}

extension EncoderDecoderRunner: DecoderEngine {
    package var name: String { shape.name }
    package var vocabulary: Int { shape.vocabulary }
    package var inputVocabulary: Int { shape.vocabulary }
    package var contextLength: Int { shape.positions }
    package var layerCount: Int { shape.decoderLayers }
    package var heads: Int { shape.decoderHeads }
    package var canGiveCandidates: Bool { false }
    package var bytesRead: Int { engine?.stepper.bytesRead ?? 0 }
    package func layers(of kind: AttentionKind) -> [Int] {
        kind == .selfAttention || kind == .cross ? Array(0..<shape.decoderLayers) : []
    }
    package func candidates(tokens: [Int], parents: [Int]?, temperature: Float) throws -> (
        candidates: [TokenCandidates], attention: [[AttentionWeights]]
    ) {
        preconditionFailure("this decoder gives no candidates")
    }
    package func newestLogits() throws -> [[Float]] {
        let engine = try loaded()
        return engine.stepper.readLogits(rows: hypotheses)
    }
}
