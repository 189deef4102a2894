import Compute
import AttentionTypes
import NumberFormats
import Transformer

/// A stack of decoder layers on a device, from tokens to logits: what every decoder-only architecture runs on. The
/// architectures build the layers; caches, passes and read-back are here once.
package final class TokenDecoder {
    /// The sizes that passes and caches follow from.
    package struct Shape: Sendable, Hashable {
        /// The model's name in messages.
        package var name: String
        package var size: Int
        package var vocabulary: Int
        /// Tokens there are embeddings for: more than have logits where some only stand for an input.
        package var inputVocabulary: Int
        /// Positions there is memory for.
        package var contextLength: Int
        package var attention: AttentionShape
        /// Positions that one pass takes at most; longer prompts run in pieces, so that scratch memory stays small.
        package var passRows: Int

        package static let defaultPassRows = 512
        /// Tokens of the prompt for which kernels are made ready while the weights are read: of a usual first question.
        static let rehearsedTokens = 32

        package init(
            name: String, size: Int, vocabulary: Int, inputVocabulary: Int? = nil, contextLength: Int,
            attention: AttentionShape,
            passRows: Int = defaultPassRows
        ) {
            self.name = name
            self.size = size
            self.vocabulary = vocabulary
            self.inputVocabulary = inputVocabulary ?? vocabulary
            self.contextLength = contextLength
            self.attention = attention
            self.passRows = passRows
        }
    }

    /// What the architecture declares.
    package struct Parts {
        /// Token embedding, `[inputVocabulary, size]`.
        package var embedding: Parameter
        /// Learned positions, `[positions, size]`.
        package var positions: Parameter?
        package var rotary: RotaryPositions?
        package var layers: [any DecoderLayer]
        /// The norm before the vocabulary.
        package var norm: any Normalization
        /// `[vocabulary, size]`; the embedding itself in tied models.
        package var output: Parameter
        /// What layers of kind `.cross` attend to.
        package var memory: (any DecoderMemory)? = nil
    }

    /// Rows of an input that replace the embeddings of some tokens: a picture's features.
    package struct Insertion {
        /// The first row, counted from the pass' first token.
        package let row: Int
        /// `[rows, size]`
        package let features: Tensor

        package init(row: Int, features: Tensor) {
            self.row = row
            self.features = features
        }
    }

    package let shape: Shape
    private let parameters: ParameterList
    private let parts: Parts
    private let workspace: Workspace
    private let resources: [any DeviceResource]
    private let x: Slot
    private let normalized: Slot
    private let hidden: Slot
    private let attentionWorkspace: Attention.Workspace
    private let cache: KeyValueCache
    private var engine: Engine?
    private var preparation: KernelPreparation?

    /// What exists only while the model is on a device.
    struct Engine {
        let device: Device
        let stream: CommandStream
        let stepper: DecodeStepper
        let tap: AttentionTap
    }

    /// Position of the next token: how many the cache holds.
    package private(set) var position = 0
    /// Hypotheses that decode together.
    package private(set) var hypotheses = 1
    private var memoryRevision = 0
    private var newestRows = 0

    /// Whether steps can give candidates instead of logits. By default where the device has memory of its own: elsewhere
    /// the host reads logits in place. Set before memory is planned or the model loaded.
    package var givesCandidates: Bool?

    /// Pictures among the tokens, where the model takes them so.
    package let pictures: PictureTokens?

    /// - Parameters:
    ///   - workspace: shared with what runs before the decoder, such as a vision tower.
    ///   - resources: memory that other parts of the model take, allocated with the decoder's.
    package init(
        shape: Shape, parameters: ParameterList, parts: Parts, workspace: Workspace = Workspace(),
        resources: [any DeviceResource] = [],
        pictures: PictureTokens? = nil
    ) {
        self.shape = shape
        self.parameters = parameters
        self.parts = parts
        parts.embedding.isReadEachStep = parts.embedding === parts.output
        self.workspace = workspace
        self.resources = (parts.memory.map { [$0] } ?? []) + resources
        self.pictures = pictures
        let rows = max(min(shape.contextLength, shape.passRows), StepState.maximumRows)
        x = workspace.reserve("tokens", rows: rows, columns: shape.size, phase: "decoder")
        normalized = workspace.reserve("normalized", rows: rows, columns: shape.size, phase: "decoder")
        hidden = workspace.reserve(
            "hidden", rows: rows, columns: parts.layers.map(\.scratchColumns).max() ?? 1, phase: "decoder")
        attentionWorkspace = Attention.Workspace(
            workspace, rows: rows, shape: shape.attention, phase: "decoder",
            gatedSize: parts.layers.contains(where: \.hasGates) ? shape.size : nil)
        cache = KeyValueCache(
            purpose: .selfKV, layers: parts.layers.filter { $0.attentionKind == .selfAttention }.count,
            capacity: shape.contextLength,
            width: shape.attention.keyValueHeads * shape.attention.headDimension)
    }

    deinit { preparation?.stop() }

    // MARK: Memory

    /// The device buffers the model takes, in the formats assigned.
    package func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] {
        WeightArenas(parameters).plannedBuffers + [workspace.plannedBuffer, cache.plannedBuffer]
            + [parts.rotary].compactMap { $0?.plannedBuffer } + resources.flatMap(\.plannedBuffers)
            + DecodeStepper.plannedBuffers(
                vocabulary: shape.vocabulary, maximumTokens: shape.contextLength, unifiedMemory: unifiedMemory,
                givesCandidates: givesCandidates ?? !unifiedMemory)
    }

    /// What the panel's rows of a token take: of cross-attention where there is any.
    func watchingBytes(unifiedMemory: Bool) -> Int {
        let cross = parts.layers.filter { $0.attentionKind == .cross }
        return AttentionTap.plannedBytes(
            layers: (cross.isEmpty ? parts.layers : cross).map { layer in
                (
                    layer.attentionHeads,
                    layer.attentionKind == .cross ? parts.memory?.cache.capacity ?? 0 : shape.contextLength
                )
            }, unifiedMemory: unifiedMemory)
    }

    /// KV-cache bytes one more token costs.
    package var bytesPerToken: Int { cache.bytesPerPosition }

    /// Puts the model on a device.
    /// - Parameter readSample: reads a picture of no meaning and returns the tokens that stand for it, where the model takes
    ///   pictures.
    package func load(
        from source: WeightSource, on device: Device, progress: (Int, Int) -> Void,
        readSample: () throws -> [Int] = { [] }
    ) throws {
        unload()
        do {
            let (loader, arenas) = (WeightLoader(device: device, source: source), WeightArenas(parameters))
            try loader.allocate(arenas)
            try workspace.allocate(on: device)
            try cache.allocate(on: device)
            try parts.rotary?.allocate(on: device)
            for resource in resources { try resource.allocate(on: device) }
            let stream = try CommandStream(device: device)
            engine = Engine(
                device: device, stream: stream,
                stepper: try DecodeStepper(
                    stream: stream, vocabulary: shape.vocabulary, inputVocabulary: shape.inputVocabulary,
                    maximumTokens: shape.contextLength,
                    givesCandidates: givesCandidates ?? !device.properties.hasUnifiedMemory),
                tap: AttentionTap(device: device))
            let kernels = KernelPreparation(try stream.dryRun { try rehearse(readSample) }, on: device)
            preparation = kernels
            try loader.fill(arenas, deriving: resources, on: stream, progress: progress)
            kernels.waitForPipelines()
        } catch {
            unload()
            throw error
        }
    }

    /// Issues what a first answer takes, on tokens of no meaning.
    private func rehearse(_ readSample: () throws -> [Int]) throws {
        let shown = try readSample()
        let token = pictures?.token == 0 ? 1 : 0
        let prompt = (shown + Array(repeating: token, count: Shape.rehearsedTokens)).prefix(shape.contextLength - 1)
        if !prompt.isEmpty { _ = try prefill(Array(prompt), at: 0, logitRows: [prompt.count - 1]) }
        _ = try advance(tokens: [token], parents: nil)
        if canGiveCandidates && position < shape.contextLength {
            _ = try candidates(tokens: [token], parents: nil, temperature: 1)
        }
        pictures?.removeAll()
        parts.memory?.forget()
        position = 0
    }

    /// Takes the model off its device; all its memory is freed.
    package func unload() {
        preparation?.stop()
        preparation = nil
        engine?.stepper.forgetRecordings()
        engine = nil
        parameters.release()
        workspace.release()
        cache.release()
        parts.rotary?.release()
        for resource in resources { resource.release() }
        pictures?.removeAll()
        position = 0
        hypotheses = 1
    }

    /// Forgets recorded steps, so that memory they use can be moved.
    func forgetRecordings() { engine?.stepper.forgetRecordings() }

    /// Forgets what the cache holds from a position on.
    func forget(from first: Int) { position = min(position, first) }

    func loaded() throws -> Engine {
        guard let engine else { throw ModelError.notLoaded(model: shape.name) }
        return engine
    }

    package var layerCount: Int { parts.layers.count }
    /// Layers that have attention of a kind, ascending.
    package func layers(of kind: AttentionKind) -> [Int] {
        parts.layers.indices.filter { parts.layers[$0].attentionKind == kind }
    }
    package var tap: AttentionTap? { engine?.tap }
    package var stream: CommandStream? { engine?.stream }
    /// Whether `candidates` may be asked of the loaded model.
    package var canGiveCandidates: Bool { engine?.stepper.givesCandidates ?? false }
    /// Bytes of logits and candidates that the host has read.
    package var bytesRead: Int { engine?.stepper.bytesRead ?? 0 }

    // MARK: Passes

    /// Makes room for hypotheses that decode together. When memory has to grow, what the cache held is forgotten.
    package func reserve(hypotheses count: Int) throws {
        precondition((1...DecodeStepper.maximumRows).contains(count))
        let engine = try loaded()
        if try cache.ensure(hypotheses: count, on: engine.device) {
            engine.stepper.forgetRecordings()
            memoryRevision += 1
            position = 0
            hypotheses = 1
        }
    }

    /// Runs `tokens` at positions from `start`; what the cache held from there on is forgotten, what it held before is
    /// kept, so that a conversation's next turn runs its new tokens only.
    ///
    /// - Parameters:
    ///   - logitRows: tokens whose logits are wanted, counted from the first of `tokens`.
    ///   - insertions: rows that replace embeddings, besides those of `pictures`.
    ///   - observe: hears the residual stream, `[rows, size]`, of a piece: 0 before the first layer, i after layer
    ///     i − 1, and after the last layer the normalized one.
    /// - Returns: logits by row, `[vocabulary]` each.
    package func prefill(
        _ tokens: [Int], at start: Int, logitRows: Set<Int>, insertions: [Insertion] = [],
        observe: ((_ index: Int, _ values: [Float]) throws -> Void)? = nil
    ) throws -> [Int: [Float]] {
        let engine = try loaded()
        guard (0...position).contains(start) else {
            throw TransformerError.inputShape(what: "the position of new tokens", expected: [position], actual: [start])
        }
        guard tokens.count <= shape.contextLength - start else {
            throw TransformerError.contextOverflow(
                model: shape.name, positions: start + tokens.count, limit: shape.contextLength)
        }
        let resolved = try pictures?.resolve(tokens, at: start, model: shape.name)
        let ids = try engine.stepper.upload(tokens: resolved?.tokens ?? tokens)
        if let resolved { pictures?.remember(resolved, from: start) }
        try parts.memory?.place(tokens, at: start)
        let insertions = insertions + (resolved?.insertions ?? [])
        position = start
        hypotheses = 1
        var result: [Int: [Float]] = [:]
        for first in stride(from: 0, to: tokens.count, by: x.rows) {
            let rows = first..<min(first + x.rows, tokens.count)
            try run(
                ids.columns(rows), firstPosition: start + first, insertions: insertions, firstRow: first,
                observe: observe, engine)
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

    private func run(
        _ ids: Tensor, firstPosition: Int, insertions: [Insertion], firstRow: Int,
        observe: ((Int, [Float]) throws -> Void)?, _ engine: Engine
    ) throws {
        let count = ids.columns
        let stream = engine.stream
        let x = x.rows(count)
        try stream.embed(
            tokens: ids, firstPosition: firstPosition, table: parts.embedding.matrix,
            positions: parts.positions?.tensor, into: x)
        for insertion in insertions {
            let rows = insertion.row..<insertion.row + insertion.features.rows
            let here = rows.clamped(to: firstRow..<firstRow + count)
            guard !here.isEmpty else { continue }
            try stream.convert(
                insertion.features.rows(here.lowerBound - rows.lowerBound..<here.upperBound - rows.lowerBound),
                into: x.rows(here.lowerBound - firstRow..<here.upperBound - firstRow))
        }
        let pass = pass(rows: count, memory: parts.memory?.view(of: firstPosition..<firstPosition + count), engine)
        for (index, layer) in parts.layers.enumerated() {
            try observe?(index, try engine.stream.read(x))
            try layer.prefill(x, firstPosition: firstPosition, pass)
        }
        try parts.norm(x, into: pass.normalized, on: stream)
        try observe?(parts.layers.count, try engine.stream.read(pass.normalized))
    }

    private func pass(rows: Int, memory: DecoderMemoryView?, _ engine: Engine) -> DecoderPass {
        DecoderPass(
            normalized: normalized.rows(rows), hidden: hidden.rows(rows), attention: attentionWorkspace, cache: cache,
            memory: memory,
            tap: engine.tap, stream: engine.stream)
    }

    private func project(_ rows: Range<Int>, into logits: Tensor, on stream: CommandStream) throws {
        try stream.linear(
            normalized.tensor.rows(rows), weight: parts.output.matrix.rows(0..<shape.vocabulary), into: logits)
    }

    /// Lets `count` hypotheses continue what has run so far. `reserve` must have made room.
    package func fork(hypotheses count: Int) throws {
        let engine = try loaded()
        precondition(count <= cache.hypotheses, "reserve room for hypotheses first")
        if count > 1 {
            try cache.reorder(parents: Array(repeating: 0, count: count), positions: position, on: engine.stream)
        }
        hypotheses = count
    }

    /// Goes on with one hypothesis alone.
    package func keep(hypothesis: Int) throws {
        let engine = try loaded()
        try cache.reorder(parents: [hypothesis], positions: position, on: engine.stream)
        try engine.stream.finish()
        hypotheses = 1
    }

    /// Continues each hypothesis by one token: hypothesis i takes up where `parents[i]` was, with `tokens[i]`.
    /// - Returns: logits per hypothesis, and the watched attention rows per hypothesis.
    package func advance(tokens: [Int], parents: [Int]?) throws -> (logits: [[Float]], attention: [[AttentionWeights]])
    {
        let (logits, attention) = try step(tokens, parents) { stepper, tap, revision, body in
            try stepper.run(ids: tokens, position: position, tap: tap, memoryRevision: revision, body: body)
        }
        return (logits, attention)
    }

    /// Continues each hypothesis as `advance` does, and brings the candidates alone to the host. `canGiveCandidates` must
    /// say so.
    /// - Parameter temperature: of the sampling, for `TokenCandidates.scaledLogSumExp`.
    package func candidates(
        tokens: [Int], parents: [Int]?, temperature: Float
    ) throws -> (candidates: [TokenCandidates], attention: [[AttentionWeights]]) {
        let (candidates, attention) = try step(tokens, parents) { stepper, tap, revision, body in
            try stepper.candidates(
                ids: tokens, position: position, temperature: temperature, tap: tap, memoryRevision: revision,
                body: body)
        }
        return (candidates, attention)
    }

    /// The logits of the newest step, `[vocabulary]` per hypothesis, when it gave candidates; nothing may have run since.
    package func newestLogits() throws -> [[Float]] { try loaded().stepper.newestLogits(rows: newestRows) }

    /// Prepares a step, has it run, and collects the attention it was watched for.
    private func step<Answer>(
        _ tokens: [Int], _ parents: [Int]?,
        _ run: (DecodeStepper, AttentionTap, _ memoryRevision: Int, _ body: (CommandStream) throws -> Void) throws ->
            Answer
    ) throws -> (Answer, [[AttentionWeights]]) {
        let engine = try loaded()
        guard position < shape.contextLength else {
            throw TransformerError.contextOverflow(
                model: shape.name, positions: position + 1, limit: shape.contextLength)
        }
        precondition(!tokens.isEmpty && tokens.count <= hypotheses)
        if let parents { try cache.reorder(parents: parents, positions: position, on: engine.stream) }
        let memory = parts.memory?.stepView
        try engine.tap.prepareDecode(
            hypotheses: tokens.count,
            layers: parts.layers.enumerated().compactMap { index, layer in
                let isCross = layer.attentionKind == .cross
                if isCross && memory == nil { return nil }
                let keys = isCross ? memory?.count ?? 0 : shape.contextLength
                return (kind: layer.attentionKind, layer: index, heads: layer.attentionHeads, keyCapacity: keys)
            })
        let rows = tokens.count
        let answer = try run(engine.stepper, engine.tap, memoryRevision + (parts.memory?.revision ?? 0)) { stream in
            let x = x.rows(rows)
            let step = engine.stepper.step
            try stream.embed(
                step: step, rows: rows, table: parts.embedding.matrix, positions: parts.positions?.tensor, into: x)
            let pass = pass(rows: rows, memory: memory, engine)
            for layer in parts.layers { try layer.decode(x, step: step, pass) }
            try parts.norm(x, into: pass.normalized, on: stream)
            try project(0..<rows, into: engine.stepper.logits(rows: rows), on: stream)
        }
        newestRows = rows
        position += 1
        let seen = position
        return (answer, engine.tap.collectDecode { $0 == .cross ? memory?.count ?? 0 : seen })
    }
}

extension TokenDecoder: DecoderEngine {
    package var name: String { shape.name }
    package var vocabulary: Int { shape.vocabulary }
    package var inputVocabulary: Int { shape.inputVocabulary }
    package var contextLength: Int { shape.contextLength }
    package var heads: Int { shape.attention.heads }

    package func prefill(_ tokens: [Int], at start: Int, logitRows: Set<Int>) throws -> [Int: [Float]] {
        try prefill(tokens, at: start, logitRows: logitRows, insertions: [])
    }
}
