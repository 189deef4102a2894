import Checkpoint
import Compute
import AttentionTypes
import Transformer

/// A model that continues a sequence of tokens, attending to all of it.
package protocol DecoderOnlyModel: Model {
    /// The layers and their caches.
    var tokenDecoder: TokenDecoder { get }
    var parameters: ParameterList { get }
    /// How the files name the weights.
    static func naming(of files: ModelFiles) -> any CheckpointNaming
    /// Where the weights are; `naming` in the files' one checkpoint by default.
    static func weightSource(of files: ModelFiles) throws -> WeightSource
}

extension DecoderOnlyModel {
    package static func weightSource(of files: ModelFiles) throws -> WeightSource {
        WeightSource(checkpoint: files.checkpoint, naming: naming(of: files))
    }

    package var decoder: any DecoderEngine { tokenDecoder }
    package var capabilities: ModelCapabilities { .init(inputs: [.prompt], watchedAttention: .selfAttention) }

    package func trace(
        _ input: ModelInput?, prompt: [Int], options: TraceOptions, emit: (TraceTensor) throws -> Void
    ) throws {
        if let input { throw ModelError.unsupportedInput(model: family, input: input.kind) }
        try trace(
            prompt: prompt, options: options, includingHiddenStates: options.includesHiddenStates, emit: emit)
    }

    // MARK: Model

    package var bytesPerToken: Int { tokenDecoder.bytesPerToken }
    package func watchingBytes(unifiedMemory: Bool) -> Int { tokenDecoder.watchingBytes(unifiedMemory: unifiedMemory) }
    package func plannedBuffers(unifiedMemory: Bool) -> [PlannedBuffer] {
        tokenDecoder.plannedBuffers(unifiedMemory: unifiedMemory)
    }

    package func load(from files: ModelFiles, on device: Device, progress: (Int, Int) -> Void) throws {
        let seeing = self as? any PicturePromptModel
        // A sample that cannot be read costs time at the first picture, no more.
        try tokenDecoder.load(from: Self.weightSource(of: files), on: device, progress: progress) {
            (try? seeing?.readSample(of: files)) ?? []
        }
    }

    package func unload() { tokenDecoder.unload() }
}

extension DecoderOnlyModel {
    /// A greedy run that writes down what the model computed, the step of the last token included: for each step `stepN.logits` `[queries, vocabulary]` and
    /// `stepN.self.L` `[heads, queries, keys]` (step 0 is the whole prompt), `hidden.i` of the prompt where asked for,
    /// and `generated_ids` last.
    package func trace(
        prompt: [Int], options: TraceOptions, includingHiddenStates: Bool = false, emit: (TraceTensor) throws -> Void
    ) throws {
        guard let tap else { throw ModelError.notLoaded(model: tokenDecoder.shape.name) }
        guard !prompt.isEmpty else { throw TransformerError.inputShape(what: "the prompt", expected: [1], actual: [0]) }
        let before = (tap.selection, tap.queryRows)
        defer {
            (tap.selection, tap.queryRows) = before
            tap.releaseRows()
        }
        tap.selection = options.selection
        tap.queryRows = .all
        var hidden: [[Float]] = []
        let first = try tokenDecoder.prefill(
            prompt, at: 0, logitRows: Set(prompt.indices),
            observe: includingHiddenStates
                ? { index, values in
                    if index == hidden.count { hidden.append(values) } else { hidden[index] += values }
                } : nil)
        tap.queryRows = .none
        for (index, values) in hidden.enumerated() {
            try emit(TraceTensor("hidden.\(index)", shape: [prompt.count, tokenDecoder.shape.size], floats: values))
        }
        var rows = prompt.indices.compactMap { first[$0] }
        var attention = AttentionWeights.joiningPieces(tap.takeRows())
        var generated: [Int] = []
        var step = 0
        while true {
            try emit(TraceTensor("step\(step).logits", shape: [rows.count, vocabulary], floats: rows.flatMap { $0 }))
            for weights in attention {
                try emit(TraceTensor("step\(step).\(weights.kind.rawValue).\(weights.layer)", weights))
            }
            guard let last = rows.last, generated.count < options.maximumTokens else { break }
            let next = last.indices.max { last[$0] < last[$1] } ?? 0
            generated.append(next)
            if options.endTokens.contains(next) || positionsLeft == 0 { break }
            let result = try advance(tokens: [next])
            rows = result.logits
            attention = result.attention[0]
            step += 1
        }
        try emit(TraceTensor("generated_ids", integers: generated))
    }
}

extension AttentionWeights {
    /// The rows of a prompt that ran in pieces, joined: earlier pieces saw fewer keys, and their rows are 0 beyond them.
    static func joiningPieces(_ pieces: [AttentionWeights]) -> [AttentionWeights] {
        struct Place: Hashable { let kind: AttentionKind, layer: Int }
        var order: [Place] = []
        var byPlace: [Place: [AttentionWeights]] = [:]
        for piece in pieces {
            let place = Place(kind: piece.kind, layer: piece.layer)
            if byPlace[place] == nil { order.append(place) }
            byPlace[place, default: []].append(piece)
        }
        return order.compactMap { place in
            guard let parts = byPlace[place], let first = parts.first else { return nil }
            if parts.count == 1 { return first }
            let keys = parts.map(\.keys).max() ?? 0
            let queries = parts.reduce(0) { $0 + $1.queries }
            var values: [Float] = []
            values.reserveCapacity(first.heads * queries * keys)
            for head in 0..<first.heads {
                for part in parts {
                    for query in 0..<part.queries {
                        values += part.row(head: head, query: query)
                        values += repeatElement(0, count: keys - part.keys)
                    }
                }
            }
            return AttentionWeights(
                kind: place.kind, layer: place.layer, heads: first.heads, queries: queries, keys: keys, values: values)
        }
    }
}
