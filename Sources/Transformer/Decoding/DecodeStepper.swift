import Compute
import NumberFormats

/// Runs decode steps: records the step of a model once, then replays it with only the step state changed, and reads
/// back the logits, or the candidates among them alone: a vocabulary of 128,000 is half a megabyte a token.
package final class DecodeStepper {
    /// Rows of logits that can be read back at once.
    package static let maximumRows = StepState.maximumRows

    package let vocabulary: Int
    /// Tokens that may be given: some models read more than they write.
    package let inputVocabulary: Int
    package let step: StepBuffer
    private let stream: CommandStream
    private let deviceLogits: Buffer
    private let hostLogits: Buffer
    private let tokens: Buffer
    /// Memory for candidates: scratch on the device, and the lists that the host reads.
    private let candidateBuffers: (scratch: Buffer, lists: Buffer)?

    private struct RecordingKey: Hashable {
        let rows: Int, tapRevision: Int, memoryRevision: Int, givesCandidates: Bool
    }
    private var recordings: [RecordingKey: RecordedCommands] = [:]

    /// Replays decode steps from recordings. Off while profiling, whose timestamps belong to single dispatches.
    package var usesRecordings = true

    /// Bytes of logits and candidates that the host has read.
    package private(set) var bytesRead = 0

    /// - Parameters:
    ///   - givesCandidates: plans memory for `candidates`.
    ///   - unifiedMemory: makes the host read logits in place; a property of the device by default.
    package init(
        stream: CommandStream, vocabulary: Int, inputVocabulary: Int? = nil, maximumTokens: Int,
        givesCandidates: Bool = false,
        unifiedMemory: Bool? = nil
    ) throws {
        self.stream = stream
        self.vocabulary = vocabulary
        self.inputVocabulary = inputVocabulary ?? vocabulary
        let device = stream.device
        step = try StepBuffer(device: device)
        let bytes = Self.logitBytes(vocabulary)
        hostLogits = try device.makeBuffer(byteCount: bytes, purpose: .staging, label: "logits", access: .readback)
        deviceLogits =
            unifiedMemory ?? device.properties.hasUnifiedMemory
            ? hostLogits : try device.makeBuffer(byteCount: bytes, purpose: .activations, label: "logits")
        tokens = try device.makeBuffer(
            byteCount: maximumTokens * 4, purpose: .staging, label: "prompt tokens", access: .upload)
        candidateBuffers =
            givesCandidates
            ? (
                try device.makeBuffer(
                    byteCount: Self.scratchBytes(vocabulary), purpose: .activations, label: "candidates of stretches"),
                // The merge writes across the bus: half a kilobyte is not worth a copy of its own.
                try device.makeBuffer(
                    byteCount: Self.candidateBytes, purpose: .staging, label: "candidates", access: .readback)
            ) : nil
    }

    /// True where `candidates` is available.
    package var givesCandidates: Bool { candidateBuffers != nil }

    private static let candidateBytes = TokenCandidates.resultBytes(rows: maximumRows)
    private static func scratchBytes(_ vocabulary: Int) -> Int {
        TokenCandidates.scratchBytes(rows: maximumRows, columns: vocabulary)
    }
    private static func logitBytes(_ vocabulary: Int) -> Int { maximumRows * vocabulary * 4 }

    /// The buffers a stepper takes.
    package static func plannedBuffers(
        vocabulary: Int, maximumTokens: Int, unifiedMemory: Bool, givesCandidates: Bool = false
    ) -> [PlannedBuffer] {
        var buffers = [
            PlannedBuffer(purpose: .staging, label: "decode step", byteCount: MemoryLayout<StepState>.size),
            PlannedBuffer(purpose: .staging, label: "logits", byteCount: logitBytes(vocabulary)),
            PlannedBuffer(purpose: .staging, label: "prompt tokens", byteCount: maximumTokens * 4),
        ]
        if !unifiedMemory {
            buffers.append(PlannedBuffer(purpose: .activations, label: "logits", byteCount: logitBytes(vocabulary)))
        }
        if givesCandidates {
            buffers.append(
                PlannedBuffer(
                    purpose: .activations, label: "candidates of stretches", byteCount: scratchBytes(vocabulary)))
            buffers.append(PlannedBuffer(purpose: .staging, label: "candidates", byteCount: candidateBytes))
        }
        return buffers
    }

    /// Memory that the model writes logits to, `[rows, vocabulary]`.
    package func logits(rows: Int) -> Tensor { Tensor(buffer: deviceLogits, rows: rows, columns: vocabulary) }

    /// Puts prompt tokens where the embedding kernel reads them, `[1, count]`.
    package func upload(tokens ids: [Int]) throws -> Tensor {
        try checkRange(ids)
        tokens.write(ids.map { UInt32($0) })
        return Tensor(buffer: tokens, rows: 1, columns: ids.count, format: .i32)
    }

    /// - Parameter exception: a token that is never looked up.
    func checkRange(_ ids: [Int], except exception: Int? = nil) throws {
        for id in ids where (id < 0 || id >= inputVocabulary) && id != exception {
            throw TransformerError.tokenOutOfRange(id: id, vocabulary: inputVocabulary)
        }
    }

    /// Runs one decode step for `ids.count` hypotheses at `position`.
    /// - Parameters:
    ///   - memoryRevision: changes when buffers that the step uses have moved.
    ///   - body: issues the step; it may read `step`, and must write `logits(rows:)`.
    /// - Returns: logits per hypothesis, `[vocabulary]` each.
    package func run(
        ids: [Int], position: Int, tap: AttentionTap, memoryRevision: Int, body: (CommandStream) throws -> Void
    ) throws -> [[Float]] {
        try run(StepState(position: position, tokens: ids), ids, tap, memoryRevision, candidates: nil, body)
        return readLogits(rows: ids.count)
    }

    /// Runs one decode step as `run` does, and reads back the candidates of each hypothesis alone; `newestLogits` has the
    /// rest. The stepper must have been made to give candidates.
    package func candidates(
        ids: [Int], position: Int, temperature: Float, tap: AttentionTap, memoryRevision: Int,
        body: (CommandStream) throws -> Void
    ) throws -> [TokenCandidates] {
        guard let candidateBuffers else { preconditionFailure("this stepper was not made to give candidates") }
        let state = StepState(position: position, tokens: ids, inverseTemperature: 1 / temperature)
        try run(state, ids, tap, memoryRevision, candidates: candidateBuffers, body)
        bytesRead += TokenCandidates.resultBytes(rows: ids.count)
        return ids.indices.map { TokenCandidates(row: $0, of: candidateBuffers.lists, temperature: temperature) }
    }

    private func run(
        _ state: StepState, _ ids: [Int], _ tap: AttentionTap, _ memoryRevision: Int,
        candidates: (scratch: Buffer, lists: Buffer)?,
        _ body: (CommandStream) throws -> Void
    ) throws {
        try checkRange(ids)
        step.write(state)
        func issue(_ stream: CommandStream) throws {
            try body(stream)
            if let candidates {
                try stream.candidates(
                    of: logits(rows: ids.count), inverseTemperature: step.inverseTemperature,
                    scratch: candidates.scratch,
                    into: candidates.lists)
            } else {
                try issueReadback(rows: ids.count, on: stream)
            }
            try tap.issueReadback(on: stream)
        }
        if usesRecordings && !stream.isProfiling && !stream.isDryRun {
            let key = RecordingKey(
                rows: ids.count, tapRevision: tap.revision, memoryRevision: memoryRevision,
                givesCandidates: candidates != nil)
            let recording: RecordedCommands
            if let known = recordings[key] {
                recording = known
            } else {
                // Stale recordings hold on to memory: they go when anything has changed.
                if recordings.keys.contains(where: {
                    $0.tapRevision != tap.revision || $0.memoryRevision != memoryRevision
                }) {
                    recordings.removeAll()
                }
                recording = try stream.record(issue)
                recordings[key] = recording
            }
            try stream.wait(for: stream.replay(recording))
        } else {
            try issue(stream)
            try stream.finish()
        }
    }

    /// The logits of the newest step, `[vocabulary]` each, when it gave candidates: they stay on the device until something
    /// else runs.
    package func newestLogits(rows: Int) throws -> [[Float]] {
        try issueReadback(rows: rows, on: stream)
        try stream.finish()
        return readLogits(rows: rows)
    }

    /// Issues the copy of logits to the host, where it cannot read them in place.
    package func issueReadback(rows: Int, on stream: CommandStream) throws {
        guard deviceLogits !== hostLogits else { return }
        let bytes = rows * vocabulary * 4
        try stream.copy(
            from: MemoryRange(buffer: deviceLogits, offset: 0, byteCount: bytes),
            to: MemoryRange(buffer: hostLogits, offset: 0, byteCount: bytes))
    }

    /// The logits of finished work.
    package func readLogits(rows: Int) -> [[Float]] {
        bytesRead += rows * vocabulary * 4
        return (0..<rows).map { hostLogits.read(Float.self, count: vocabulary, at: $0 * vocabulary * 4) }
    }

    /// Drops recordings, so that the memory they use can go.
    package func forgetRecordings() { recordings.removeAll() }
}
