import AttentionTypes
import Compute
import NumberFormats

/// The decoder of every architecture: embedding, blocks, final norm and output projection, from tokens to logits. It owns
/// the caches, scratch memory, warm-up and recorded steps.
package final class Decoder {
    /// A source that the blocks attend to beside the tokens.
    package struct Source {
        /// Positions of the source that memory is planned for.
        let capacity: Int
        /// True where nothing runs without a source.
        let isRequired: Bool
        /// Rules for the positions that each token sees; nil where all see the same.
        let visibility: (any SourceVisibility)?

        package init(capacity: Int, isRequired: Bool = true, visibility: (any SourceVisibility)? = nil) {
            self.capacity = capacity
            self.isRequired = isRequired
            self.visibility = visibility
        }
    }

    /// An architecture's decoder.
    package struct Declaration {
        /// Architecture name for messages.
        package var name: String
        package var hiddenSize: Int
        /// Tokens that have logits.
        package var vocabularySize: Int
        /// Tokens that have embeddings: more than have logits where some only stand for an input.
        package var inputVocabularySize: Int
        /// Positions that memory is planned for.
        package var contextLength: Int
        /// Positions of a prompt that run at once; longer prompts run in pieces, so that scratch memory stays small.
        package var prefillRows: Int
        package var embedding: TokenEmbedding
        /// Biases of the scores by distance (T5).
        package var relativePositions: RelativePositions?
        package var blocks: [TransformerBlock]
        package var finalNorm: (any Normalization)?
        package var output: OutputProjection
        package var source: Source?

        package static let defaultPrefillRows = 512

        package init(
            name: String, hiddenSize: Int, vocabularySize: Int, inputVocabularySize: Int? = nil, contextLength: Int,
            prefillRows: Int = defaultPrefillRows, embedding: TokenEmbedding,
            relativePositions: RelativePositions? = nil, blocks: [TransformerBlock],
            finalNorm: (any Normalization)? = nil, output: OutputProjection, source: Source? = nil
        ) {
            self.name = name
            self.hiddenSize = hiddenSize
            self.vocabularySize = vocabularySize
            self.inputVocabularySize = inputVocabularySize ?? vocabularySize
            self.contextLength = contextLength
            self.prefillRows = prefillRows
            self.embedding = embedding
            self.relativePositions = relativePositions
            self.blocks = blocks
            self.finalNorm = finalNorm
            self.output = output
            self.source = source
        }
    }

    /// Objects that exist only while the model is on a device.
    package struct Engine {
        package let device: Device
        package let stream: CommandStream
        package let tap: AttentionTap
        let stepper: DecodeStepper
    }

    private let declaration: Declaration
    package let parameters: ParameterList
    private let workspace: Workspace
    private let resources: [any DeviceResource]
    /// Tables of rotary positions; layers may have different ones.
    private let rotary: [RotaryPositions]
    private let x: Slot
    private let scratch: BlockScratch
    private let outputScratch: Slot?
    private let cache: KeyValueCache
    /// The source of cross-attention, where the architecture has any.
    package let source: CrossAttentionState?
    /// Inputs among the tokens, where the architecture takes some.
    package let overrides: (any EmbeddingOverrides)?
    private var engine: Engine?
    private var preparation: KernelPreparation?

    /// Position of the next token: entries of the cache.
    package private(set) var position = 0
    /// Hypotheses that decode together.
    package private(set) var hypotheses = 1
    private var cacheRevision = 0
    private var newestRows = 0

    /// Makes steps give candidates instead of logits. By default on devices with memory of their own: elsewhere
    /// the host reads logits in place. Set before memory is planned or the model loaded.
    package var givesCandidates: Bool?

    /// Keeps the hidden states of passes over many positions, for traces.
    package var keepsHiddenStates = false { didSet { hiddenStates = [:] } }
    private var hiddenStates: [Int: HiddenState] = [:]

    /// Hidden states `[rows, columns]` of one pass; 0 before the first block, i after block i − 1, the last one behind the
    /// final norm.
    package struct HiddenState: Sendable {
        package let index: Int
        package var rows: Int
        package let columns: Int
        package var values: [Float]
    }

    /// - Parameters:
    ///   - parameters: all weights of the model, those of encoders and towers included.
    ///   - workspace: shared with what runs before the decoder, such as an encoder.
    ///   - resources: memory of other parts of the model, allocated with the decoder's.
    package init(
        _ declaration: Declaration, parameters: ParameterList, workspace: Workspace = Workspace(),
        resources: [any DeviceResource] = [], overrides: (any EmbeddingOverrides)? = nil
    ) {
        let d = declaration
        self.declaration = d
        self.parameters = parameters
        self.workspace = workspace
        self.overrides = overrides
        d.embedding.table.isReadEachStep = d.embedding.table === d.output.weight
        let rows = max(min(d.contextLength, d.prefillRows), DecodeStepper.maximumRows)
        let phase = "decoder"
        x = workspace.reserve("tokens", rows: rows, columns: d.hiddenSize, phase: phase)
        scratch = BlockScratch(
            workspace, rows: rows, hiddenSize: d.hiddenSize, blocks: d.blocks, hasFinalNorm: d.finalNorm != nil,
            phase: phase)
        outputScratch = d.output.reserveScratch(workspace, hiddenSize: d.hiddenSize, phase: phase)
        func widths(_ attention: (TransformerBlock) -> Attention?) -> [Int: Int] {
            Dictionary(
                d.blocks.compactMap(attention).map { ($0.layer, $0.shape.keyValueWidth) }, uniquingKeysWith: max)
        }
        cache = KeyValueCache(
            purpose: .selfKV, widths: widths { $0.selfAttention?.layer }, capacity: d.contextLength)
        source = d.source.map {
            CrossAttentionState(
                widths: widths { $0.crossAttention?.layer }, capacity: $0.capacity, visibility: $0.visibility)
        }
        var rotary: [RotaryPositions] = []
        for table in d.blocks.compactMap({ $0.selfAttention?.layer.rotary })
        where !rotary.contains(where: { $0 === table }) {
            rotary.append(table)
        }
        self.rotary = rotary
        self.resources =
            (source.map { [$0] } ?? []) + (d.relativePositions.map { [$0] } ?? []) + rotary + resources
    }

    deinit { preparation?.stop() }

    // MARK: Sizes

    /// Number format of cached keys and values, one of `KeyValueCache.formats`: f32, as the reference computes, unless
    /// another is set before memory is planned or the model loaded.
    package var cacheFormat: ElementFormat {
        get { cache.format }
        set {
            cache.format = newValue
            source?.cache.format = newValue
        }
    }

    package var name: String { declaration.name }
    package var hiddenSize: Int { declaration.hiddenSize }
    package var vocabulary: Int { declaration.vocabularySize }
    package var inputVocabulary: Int { declaration.inputVocabularySize }
    package var contextLength: Int { declaration.contextLength }
    package var layerCount: Int { declaration.blocks.count }
    private var attentions: [Attention] { declaration.blocks.flatMap(\.attentions) }
    /// Attention heads of a layer, the most where layers differ.
    package var heads: Int { attentions.map(\.shape.heads).max() ?? 0 }
    /// Layers that have attention of a kind, ascending.
    package func layers(of kind: AttentionKind) -> [Int] { attentions.filter { $0.kind == kind }.map(\.layer) }

    // MARK: Memory

    /// Device buffers of the whole model, in the formats assigned.
    package func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] {
        parameters.layout.plannedBuffers + [workspace.plannedBuffer, cache.plannedBuffer]
            + resources.flatMap(\.plannedBuffers)
            + DecodeStepper.plannedBuffers(
                vocabulary: vocabulary, maximumTokens: contextLength, unifiedMemory: unifiedMemory,
                givesCandidates: givesCandidates ?? !unifiedMemory)
    }

    /// Memory for the rows that are shown of each token: of cross-attention where there is any.
    package func watchingBytes(unifiedMemory: Bool) -> Int {
        let cross = attentions.filter { $0.kind == .cross }
        return AttentionTap.plannedBytes(
            layers: (cross.isEmpty ? attentions : cross).map {
                ($0.shape.heads, $0.kind == .cross ? source?.cache.capacity ?? 0 : contextLength)
            }, unifiedMemory: unifiedMemory)
    }

    /// KV-cache bytes of one more token.
    package var bytesPerToken: Int { cache.bytesPerPosition }

    /// Puts the model on a device.
    /// - Parameter encodeSample: encodes a dummy input for the warm-up, and returns the tokens that stand for it.
    package func load(
        from weights: WeightSource, on device: Device, progress: (Int, Int) -> Void = { _, _ in },
        encodeSample: () throws -> [Int] = { [] }
    ) throws {
        unload()
        do {
            let (loader, layout) = (WeightLoader(device: device, source: weights), parameters.layout)
            try loader.allocate(layout)
            try workspace.allocate(on: device)
            try cache.allocate(on: device)
            for resource in resources { try resource.allocate(on: device) }
            let stream = try CommandStream(device: device)
            engine = Engine(
                device: device, stream: stream, tap: AttentionTap(device: device),
                stepper: try DecodeStepper(
                    stream: stream, vocabulary: vocabulary, inputVocabulary: inputVocabulary,
                    maximumTokens: contextLength,
                    givesCandidates: givesCandidates ?? !device.properties.hasUnifiedMemory))
            let kernels = KernelPreparation(try stream.dryRun { try warmUp(encodeSample) }, on: device)
            preparation = kernels
            try loader.fill(layout, deriving: resources, on: stream, progress: progress)
            kernels.waitForPipelines()
        } catch {
            unload()
            throw error
        }
    }

    /// Prompt length of the warm-up of models that take all input as a prompt: a usual first question.
    package static let warmUpTokens = 32

    /// Issues what a first answer takes, on dummy input.
    private func warmUp(_ encodeSample: () throws -> [Int]) throws {
        let shown = try encodeSample()
        // Without an encoded sample there is nothing to attend to; the first answer compiles its kernels itself.
        if declaration.source?.isRequired == true, source?.isEmpty != false { return }
        let token = overrides?.placeholder == 0 ? 1 : 0
        let count = declaration.source?.isRequired == true ? 1 : Self.warmUpTokens
        let prompt = (shown + Array(repeating: token, count: count)).prefix(max(1, contextLength - 1))
        _ = try prefill(Array(prompt), at: 0, logitRows: [prompt.count - 1])
        if position < contextLength { _ = try advance(tokens: [token], parents: nil) }
        if canGiveCandidates && position < contextLength {
            _ = try candidates(tokens: [token], parents: nil, temperature: 1)
        }
        overrides?.removeAll()
        source?.removeAll()
        encoderOutput = nil
        position = 0
    }

    /// Takes the model off its device; all its memory is freed.
    package func unload() {
        preparation?.stop()
        preparation = nil
        engine?.stepper.forgetRecordings()
        engine = nil
        encoderOutput = nil
        parameters.release()
        workspace.release()
        cache.release()
        for resource in resources { resource.release() }
        overrides?.removeAll()
        hiddenStates = [:]
        position = 0
        hypotheses = 1
    }

    /// - Throws: `TransformerError.notLoaded`.
    package func loaded() throws -> Engine {
        guard let engine else { throw TransformerError.notLoaded(model: name) }
        return engine
    }

    /// Attention capture of the loaded model.
    package var tap: AttentionTap? { engine?.tap }
    /// Command stream of the loaded model.
    package var stream: CommandStream? { engine?.stream }
    /// True where `candidates` is available.
    package var canGiveCandidates: Bool { engine?.stepper.givesCandidates ?? false }
    /// Bytes of logits and candidates that the host has read.
    package var bytesRead: Int { engine?.stepper.bytesRead ?? 0 }

    // MARK: Source

    private var encoderOutput: Tensor?

    /// Runs an encoder and caches every block's cross-attention keys and values.
    /// - Parameter body: issues the encoder. Returns its output `[positions, size]`, the features that the blocks attend to
    ///   where they are others, and a mask `[1, positions]` that must stay as it is.
    package func encode(
        _ body: (Engine, HiddenStateObserver?) throws -> (output: Tensor, features: Tensor?, mask: Tensor?)
    ) throws {
        guard let source else { preconditionFailure("\(name) has no cross-attention") }
        let engine = try loaded()
        hiddenStates = [:]
        do {
            try abandoningFailures {
                let (output, features, mask) = try body(engine, observer)
                try cacheKeysAndValues(of: features ?? output, from: 0, engine)
                try engine.stream.finish()
                source.set(count: (features ?? output).rows, mask: mask)
                encoderOutput = output
            }
        } catch {
            // What was encoded before is overwritten in part.
            source.removeAll()
            encoderOutput = nil
            position = 0
            throw error
        }
        position = 0
    }

    /// Runs work of the device; where it fails, none of it runs with what comes next.
    package func abandoningFailures<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            stream?.abandon()
            throw error
        }
    }

    /// Adds features to the source; the tokens have to run again.
    /// - Parameter features: `[keys, size]`, in memory that may be used again once this returns.
    package func appendSource(_ features: Tensor) throws {
        guard let source else { preconditionFailure("\(name) has no cross-attention") }
        let engine = try loaded()
        engine.stepper.forgetRecordings()
        try abandoningFailures {
            try source.reserve(features.rows, on: engine.stream)
            try cacheKeysAndValues(of: features, from: source.count, engine)
            try engine.stream.finish()
        }
        source.set(count: source.count + features.rows)
        forget(from: 0)
    }

    private func cacheKeysAndValues(of features: Tensor, from first: Int, _ engine: Engine) throws {
        guard let source else { return }
        for block in declaration.blocks {
            try block.crossAttention?.layer.cacheKeysAndValues(
                of: features, in: source.cache, from: first, staging: source.staging, on: engine.stream)
        }
    }

    /// The encoder's output of the last run, `[positions, size]`; valid until the decoder runs.
    package func readEncoderOutput() throws -> (shape: [Int], values: [Float]) {
        let engine = try loaded()
        guard let output = encoderOutput else { throw TransformerError.nothingEncoded(model: name) }
        return ([output.rows, output.columns], try engine.stream.read(output))
    }

    private func requireSource() throws {
        guard let declared = declaration.source, declared.isRequired, source?.isEmpty != false else { return }
        throw TransformerError.nothingEncoded(model: name)
    }

    // MARK: Hidden states

    /// Records hidden states while `keepsHiddenStates` is set. Pieces of one pass are joined.
    private var observer: HiddenStateObserver? {
        guard keepsHiddenStates else { return nil }
        return { [unowned self] index, state in
            let values = try loaded().stream.read(state)
            var known =
                hiddenStates[index] ?? HiddenState(index: index, rows: 0, columns: state.columns, values: [])
            known.rows += state.rows
            known.values += values
            hiddenStates[index] = known
        }
    }

    /// Hidden states of the passes since the last call, ascending.
    package func takeHiddenStates() -> [HiddenState] {
        defer { hiddenStates = [:] }
        return hiddenStates.values.sorted { $0.index < $1.index }
    }

    // MARK: Prefill

    /// Makes room for hypotheses that decode together. When memory has to grow, the cache is emptied.
    package func reserve(hypotheses count: Int) throws {
        precondition((1...DecodeStepper.maximumRows).contains(count))
        let engine = try loaded()
        guard count > cache.hypotheses else { return }
        // Recordings hold the old memory, and a cache that cannot grow comes back empty too.
        engine.stepper.forgetRecordings()
        cacheRevision += 1
        position = 0
        hypotheses = 1
        try cache.ensure(hypotheses: count, on: engine.device)
    }

    /// Forgets what the cache holds from a position on.
    package func forget(from first: Int) { position = min(position, first) }

    /// Runs `tokens` at positions from `start`. What the cache holds before `start` is kept, so that a conversation's next
    /// turn runs its new tokens only; what it holds from there on is forgotten.
    /// - Parameter logitRows: tokens whose logits are wanted, counted from the first of `tokens`.
    /// - Returns: logits by row, `[vocabulary]` each.
    package func prefill(_ tokens: [Int], at start: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        let engine = try loaded()
        return try abandoningFailures { try prefill(tokens, at: start, logitRows: logitRows, engine) }
    }

    private func prefill(
        _ tokens: [Int], at start: Int, logitRows: Set<Int>, _ engine: Engine
    ) throws -> [Int: [Float]] {
        guard (0...position).contains(start) else {
            throw TransformerError.inputShape(what: "the position of new tokens", expected: [position], actual: [start])
        }
        guard tokens.count <= contextLength - start else {
            throw TransformerError.contextOverflow(
                model: name, positions: start + tokens.count, limit: contextLength)
        }
        try engine.stepper.checkRange(tokens, except: overrides?.placeholder)
        try requireSource()
        try cache.restore(on: engine.device)
        let (resolved, overrides) = try overrides?.resolve(tokens, at: start, model: name) ?? (tokens, [])
        let ids = try engine.stepper.upload(tokens: resolved)
        try source?.prepare(tokens, at: start)
        position = start
        hypotheses = 1
        var result: [Int: [Float]] = [:]
        for table in rotary {
            try table.place(
                overrides.compactMap { override in override.grid.map { (override.row, $0.rows, $0.columns) } },
                count: tokens.count, at: start)
        }
        let spans = overrides.filter(\.attendsBothWays).map(\.span)
        var first = 0
        while first < tokens.count {
            let rows = first..<(try end(ofPieceFrom: first, of: tokens.count, spans: spans))
            defer { first = rows.upperBound }
            try prefill(ids.columns(rows), resolved[rows], piece: rows, at: start, overrides, engine)
            position = start + rows.upperBound
            let wanted = logitRows.filter(rows.contains).map { $0 - first }.sorted()
            for run in wanted.contiguousRuns(limit: DecodeStepper.maximumRows) {
                try project(run, into: engine.stepper.logits(rows: run.count), on: engine.stream)
                try engine.stepper.issueReadback(rows: run.count, on: engine.stream)
                try engine.stream.finish()
                for (row, logits) in zip(run, engine.stepper.readLogits(rows: run.count)) {
                    result[first + row] = logits
                }
            }
        }
        try engine.stream.finish()
        return result
    }

    /// The end of the piece of a prompt that runs from `first` on. Rows that attend both ways stay together.
    private func end(ofPieceFrom first: Int, of count: Int, spans: [Range<Int>]) throws -> Int {
        let end = min(first + x.rows, count)
        guard let cut = spans.first(where: { $0.lowerBound < end && $0.upperBound > end }) else { return end }
        guard cut.lowerBound > first else {
            throw TransformerError.inputShape(
                what: "tokens that attend to each other both ways", expected: [x.rows], actual: [cut.count])
        }
        return cut.lowerBound
    }

    private func prefill(
        _ tokens: Tensor, _ ids: ArraySlice<Int>, piece: Range<Int>, at start: Int, _ overrides: [EmbeddingOverride],
        _ engine: Engine
    ) throws {
        let (count, stream, observe) = (piece.count, engine.stream, observer)
        let firstPosition = start + piece.lowerBound
        let x = x.rows(count)
        try declaration.embedding(tokens, ids: ids, firstPosition: firstPosition, into: x, on: stream)
        for override in overrides {
            guard let (place, rows) = override.rows(in: piece) else { continue }
            try stream.convert(override.features.rows(rows), into: x.rows(place))
        }
        let positions = declaration.relativePositions
        var bias: AttentionBias?
        let pass = pass(source?.view(of: firstPosition..<firstPosition + count), engine.tap, stream)
        let spans = overrides.filter(\.attendsBothWays).compactMap { $0.rows(in: piece)?.place }
        for (index, block) in declaration.blocks.enumerated() {
            try observe?(index, x)
            if let positions, index == 0 || positions.isPerLayer {
                bias = try positions.bias(
                    layer: index, queries: count, keys: firstPosition + count, firstPosition: firstPosition, on: stream)
            }
            try block.prefill(x, firstPosition: firstPosition, bias: bias, spans: spans, pass)
            for override in overrides {
                guard let addition = override.additions[index], let (place, rows) = override.rows(in: piece) else {
                    continue
                }
                try stream.add(x.rows(place), addition.rows(rows), into: x.rows(place))
            }
        }
        // Not inside the optional call, which would skip the norm where nobody observes.
        let states = try normalize(x, on: stream)
        try observe?(layerCount, states)
    }

    private func pass(_ source: CrossAttentionView?, _ tap: AttentionTap, _ stream: CommandStream) -> BlockPass {
        BlockPass(scratch: scratch, cache: cache, source: source, tap: tap, stream: stream)
    }

    /// The final norm.
    private func normalize(_ x: Tensor, on stream: CommandStream) throws -> Tensor {
        guard let norm = declaration.finalNorm else { return x }
        let states = scratch.normalized(x.rows)
        try norm(x, into: states, on: stream)
        return states
    }

    /// Logits of some rows of the last pass.
    private func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        let count = rows.upperBound
        let states = declaration.finalNorm == nil ? x.rows(count) : scratch.normalized(count)
        try declaration.output(states.rows(rows), scratch: outputScratch, into: logits, on: stream)
    }

    // MARK: Decode

    /// Lets `count` hypotheses continue what has run so far. `reserve` must have made room.
    package func fork(hypotheses count: Int) throws {
        let engine = try loaded()
        precondition(count <= cache.hypotheses, "reserve room for hypotheses first")
        if count > 1 {
            try cache.reorder(parents: Array(repeating: 0, count: count), positions: position, on: engine.stream)
        }
        hypotheses = count
    }

    /// Continues with one hypothesis alone.
    package func keep(hypothesis: Int) throws {
        let engine = try loaded()
        try cache.reorder(parents: [hypothesis], positions: position, on: engine.stream)
        try engine.stream.finish()
        hypotheses = 1
    }

    /// Continues each hypothesis by one token: hypothesis i continues `parents[i]` with `tokens[i]`.
    /// - Returns: logits and watched attention rows per hypothesis.
    package func advance(tokens: [Int], parents: [Int]? = nil) throws -> (
        logits: [[Float]], attention: [[AttentionWeights]]
    ) {
        let (logits, attention) = try step(tokens, parents) { stepper, tap, revision, body in
            try stepper.run(ids: tokens, position: position, tap: tap, memoryRevision: revision, body: body)
        }
        return (logits, attention)
    }

    /// Continues each hypothesis as `advance` does, and brings the candidates alone to the host; see `canGiveCandidates`.
    /// - Parameter temperature: of the sampling, for `TokenCandidates.scaledLogSumExp`.
    package func candidates(tokens: [Int], parents: [Int]?, temperature: Float) throws -> (
        candidates: [TokenCandidates], attention: [[AttentionWeights]]
    ) {
        let (candidates, attention) = try step(tokens, parents) { stepper, tap, revision, body in
            try stepper.candidates(
                ids: tokens, position: position, temperature: temperature, tap: tap, memoryRevision: revision,
                body: body)
        }
        return (candidates, attention)
    }

    /// Logits of the newest step, `[vocabulary]` per hypothesis, when it gave candidates; nothing may have run since.
    package func newestLogits() throws -> [[Float]] { try loaded().stepper.newestLogits(rows: newestRows) }

    /// Prepares a step, has it run, and collects the attention it was watched for.
    private func step<Answer>(
        _ tokens: [Int], _ parents: [Int]?,
        _ run: (DecodeStepper, AttentionTap, _ memoryRevision: Int, _ body: (CommandStream) throws -> Void) throws ->
            Answer
    ) throws -> (Answer, [[AttentionWeights]]) {
        let engine = try loaded()
        try requireSource()
        guard position < contextLength else {
            throw TransformerError.contextOverflow(model: name, positions: position + 1, limit: contextLength)
        }
        precondition(!tokens.isEmpty && tokens.count <= hypotheses)
        return try abandoningFailures { try step(tokens, parents, run, engine) }
    }

    private func step<Answer>(
        _ tokens: [Int], _ parents: [Int]?,
        _ run: (DecodeStepper, AttentionTap, _ memoryRevision: Int, _ body: (CommandStream) throws -> Void) throws ->
            Answer,
        _ engine: Engine
    ) throws -> (Answer, [[AttentionWeights]]) {
        if let parents { try cache.reorder(parents: parents, positions: position, on: engine.stream) }
        let view = source?.stepView
        let sourceCount = view?.count ?? 0
        try engine.tap.prepareDecode(
            hypotheses: tokens.count,
            layers: attentions.filter { $0.kind != .cross || view != nil }.map {
                (
                    kind: $0.kind, layer: $0.layer, heads: $0.shape.heads,
                    keyCapacity: $0.kind == .cross ? sourceCount : contextLength
                )
            })
        let answer = try run(engine.stepper, engine.tap, cacheRevision + (source?.revision ?? 0)) { stream in
            try decode(rows: tokens.count, view, engine, on: stream)
        }
        newestRows = tokens.count
        position += 1
        let seen = position
        return (answer, engine.tap.collectDecode { $0 == .cross ? sourceCount : seen })
    }

    /// Issues one step: a token of each hypothesis, from embedding to logits.
    private func decode(rows: Int, _ view: CrossAttentionView?, _ engine: Engine, on stream: CommandStream) throws {
        let (x, step) = (x.rows(rows), engine.stepper.step)
        try declaration.embedding(step, into: x, on: stream)
        let pass = pass(view, engine.tap, stream)
        for (index, block) in declaration.blocks.enumerated() {
            let bias = declaration.relativePositions?.decodeBias(layer: index)
            try block.decode(x, step: step, bias: bias, pass)
        }
        _ = try normalize(x, on: stream)
        try project(0..<rows, into: engine.stepper.logits(rows: rows), on: stream)
    }
}

extension [Int] {
    /// Sorted numbers as ranges of neighbors, each at most `limit` long.
    func contiguousRuns(limit: Int) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for number in self {
            if let last = runs.last, last.upperBound == number, last.count < limit {
                runs[runs.count - 1] = last.lowerBound..<number + 1
            } else {
                runs.append(number..<number + 1)
            }
        }
        return runs
    }
}
