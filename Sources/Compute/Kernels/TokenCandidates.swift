import Foundation

/// The best tokens of a row of logits and the sums over the rest: all that most samplers need.
package struct TokenCandidates: Sendable, Hashable {
    /// One more than the 64 that a filter may keep, so that a tie with the first one left out is seen. `CAPACITY` in the
    /// shaders.
    package static let capacity = 65
    /// Logits that one workgroup ranks. `COLUMNS` in the shaders.
    static let columnsPerList = 512
    /// Bytes of a list in device memory: two sums, two words, then pairs of value and id.
    static let listBytes = 16 + capacity * 8

    /// Best first, equal ones by lower id. −∞ and NaN are none.
    package let ids: [Int]
    /// The logit of each.
    package let logits: [Float]
    /// log Σ exp(x) over the whole row: −∞ without any number, NaN with a NaN.
    package let logSumExp: Float
    package let temperature: Float
    /// log Σ exp(x / temperature) over the whole row.
    package let scaledLogSumExp: Float

    package init(ids: [Int], logits: [Float], logSumExp: Float, temperature: Float, scaledLogSumExp: Float) {
        self.ids = ids
        self.logits = logits
        self.logSumExp = logSumExp
        self.temperature = temperature
        self.scaledLogSumExp = scaledLogSumExp
    }

    /// - Parameters:
    ///   - sum: Σ exp(x − top) over the row, top the first of `logits`; negative where there is a NaN.
    ///   - scaledSum: Σ exp((x − top) / temperature).
    package init(ids: [Int], logits: [Float], sum: Double, temperature: Float, scaledSum: Double) {
        let top = sum < 0 ? .nan : logits.first ?? -.infinity
        func logarithm(_ sum: Double, _ top: Float) -> Float { top.isFinite ? Float(Double(top) + log(sum)) : top }
        self.init(
            ids: ids, logits: logits, logSumExp: logarithm(sum, top), temperature: temperature,
            scaledLogSumExp: logarithm(scaledSum, top / temperature))
    }

    /// `true` when no other token of the row has a finite logit.
    package var isWhole: Bool { ids.count < Self.capacity }

    /// Bytes of device memory in which the lists of `rows` rows are made.
    package static func scratchBytes(rows: Int, columns: Int) -> Int {
        rows * divideRoundingUp(columns, columnsPerList) * listBytes
    }

    /// Bytes of the lists of `rows` rows.
    package static func resultBytes(rows: Int) -> Int { rows * listBytes }

    /// The list of a row from a buffer that the host sees, once the device has finished it.
    package init(row: Int, of lists: Buffer, temperature: Float) {
        let start = row * Self.listBytes
        let sums = lists.read(Float.self, count: 2, at: start)
        let words = lists.read(UInt32.self, count: 2 * Self.capacity, at: start + 16)
        let places = stride(from: 0, to: words.count, by: 2).prefix { words[$0 + 1] != .max }
        self.init(
            ids: places.map { Int(words[$0 + 1]) }, logits: places.map { Float(bitPattern: words[$0]) },
            sum: Double(sums[0]),
            temperature: temperature, scaledSum: Double(sums[1]))
    }
}

private struct CandidatesPush: BitwiseCopyable {
    var x, inverseTemperature, lists: UInt64
    var columns, xStride: UInt32
}

private struct MergePush: BitwiseCopyable {
    var lists, inverseTemperature, merged: UInt64
    var count: UInt32
}

/// Chooses the forms of the two kernels that make lists of candidates.
package enum CandidatesSelection {
    /// One subgroup for each stretch of a row.
    package static func lists(rows: Int, columns: Int) -> KernelChoice {
        KernelChoice(
            KernelVariant("sample/candidates"), x: divideRoundingUp(columns, TokenCandidates.columnsPerList), y: rows)
    }

    /// One workgroup per row: a subgroup on a CPU driver, 256 invocations on a GPU.
    package static func merge(rows: Int, _ properties: DeviceProperties, profile: KernelProfile? = nil) -> KernelChoice
    {
        let count =
            switch profile ?? KernelProfile(properties) {
            case .vector: 1
            case .coalesced: subgroups(forInvocations: 256, properties)
            }
        return KernelChoice(KernelVariant("sample/merge", constants: [UInt32(count)]), x: rows)
    }
}

extension CommandStream {
    /// The candidates of each row of x; see `TokenCandidates.init(row:of:temperature:)`.
    ///
    /// - Parameters:
    ///   - x: `[rows, columns]` f32.
    ///   - inverseTemperature: one f32, 1/T.
    ///   - scratch: `TokenCandidates.scratchBytes(rows:columns:)`.
    ///   - lists: `TokenCandidates.resultBytes(rows:)`.
    package func candidates(
        of x: Tensor, inverseTemperature: Tensor, scratch: Buffer, into lists: Buffer, profile: KernelProfile? = nil
    ) throws {
        precondition(
            x.format == .f32 && x.columns > 0 && x.columns < Int(UInt32.max), "candidates: f32, at least one column")
        if x.rows == 0 { return }
        let made = MemoryRange(
            buffer: scratch, offset: 0, byteCount: TokenCandidates.scratchBytes(rows: x.rows, columns: x.columns))
        let merged = MemoryRange(buffer: lists, offset: 0, byteCount: TokenCandidates.resultBytes(rows: x.rows))
        let stretches = CandidatesSelection.lists(rows: x.rows, columns: x.columns)
        try dispatch(
            stretches,
            push: CandidatesPush(
                x: x.address, inverseTemperature: inverseTemperature.address, lists: scratch.address,
                columns: UInt32(x.columns),
                xStride: UInt32(x.rowStride)),
            reads: [x.byteRange, inverseTemperature.byteRange], writes: [made], label: "candidates")
        try dispatch(
            CandidatesSelection.merge(rows: x.rows, device.properties, profile: profile),
            push: MergePush(
                lists: scratch.address, inverseTemperature: inverseTemperature.address, merged: lists.address,
                count: UInt32(stretches.groups.x)),
            // Reading a list uses it up.
            reads: [made, inverseTemperature.byteRange], writes: [made, merged], label: "merge candidates")
    }
}
