import NumberFormats

/// Chooses among the forms of `linear`.
///
/// - `linear/step`: one subgroup computes TM rows × TN·lanes outputs, lane = weight row, x by shuffle, with the norm before
///   and the gate behind. The form of CPU drivers for up to four rows (decode).
/// - `linear/shuffle`: the same, 8 × 4 or 32 × 4, without the norm, for more rows on CPU drivers.
/// - `linear/row`: a subgroup per weight row, or several, lanes along K, with the norm before and the gate behind, for up to
///   eight rows of x on a GPU.
/// - `linear/dot`: the same for weights in blocks, by sums of products of bytes where a GPU has an instruction for them.
/// - `linear/matrix`: tiles of products of small matrices, without the norm, for more rows on a GPU that has units for them.
/// - `linear/tile`: 64 × 64 or 128 × 128 tiles through shared memory, without the norm, for more rows on other GPUs.
package enum LinearSelection {
    package static let formats = ElementFormat.weightFormats
    /// Formats of single elements.
    package static let plainFormats = formats.filter { !$0.isQuantized }

    package static func select(_ problem: LinearProblem, _ properties: DeviceProperties, profile: KernelProfile? = nil)
        -> KernelChoice
    {
        precondition(formats.contains(problem.format), "linear has no kernel for \(problem.format.rawValue) weights")
        switch profile ?? KernelProfile(properties) {
        case .vector: return vector(problem, properties)
        case .coalesced:
            precondition(problem.rowsPerPanel == 1, "linear: panels that the chosen kernel does not have")
            if problem.rows <= streamedRows { return row(problem, properties) }
            precondition(problem.norm == nil, "linear: a norm that the chosen kernel does not have")
            return matrix(problem, properties) ?? tile(problem, properties)
        }
    }

    /// Rows of x up to which CPU drivers run steps.
    static let stepRows = 4
    /// Rows of x up to which GPUs read weights in one stream.
    static let streamedRows = 8

    /// `true` when the kernel can apply the norm before it.
    package static func fuses(rows: Int, inputs: Int, _ properties: DeviceProperties, profile: KernelProfile? = nil)
        -> Bool
    {
        let most =
            switch profile ?? KernelProfile(properties) {
            case .vector: stepRows
            case .coalesced: streamedRows
            }
        return rows <= most && inputs % 4 == 0
    }

    private static func vector(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice {
        if problem.rows <= stepRows && problem.hasWideRows { return step(problem, properties) }
        precondition(problem.norm == nil, "linear: a norm that the chosen kernel does not have")
        let (rows, weightsPerLane) =
            problem.rows == 1 ? (1, 2) : problem.rows <= stepRows ? (4, 2) : (tileRows(problem), 4)
        let variant = KernelVariant(
            "linear/shuffle_\(problem.format.rawValue)_\(problem.load.rawValue)",
            constants: [
                UInt32(rows), UInt32(weightsPerLane), problem.activation.rawValue, problem.isGated.constant,
                UInt32(problem.rowsPerPanel),
                problem.hasWideRows.constant,
            ])
        let outputsPerLane = problem.isGated ? weightsPerLane / 2 : weightsPerLane
        return KernelChoice(
            variant, x: divideRoundingUp(problem.outputs, properties.subgroupSize * outputsPerLane),
            y: divideRoundingUp(problem.rows, rows))
    }

    /// Rows of a `linear/shuffle` tile: many where there are enough of them. Rows beyond the last cost as much as others.
    private static func tileRows(_ problem: LinearProblem) -> Int {
        guard problem.load == .address else { return 8 }
        // Measured: a row of a tile of 32 takes 0.7 of the time of a row of a tile of 8.
        return 0.7 * Double(32 * divideRoundingUp(problem.rows, 32)) < Double(8 * divideRoundingUp(problem.rows, 8))
            ? 32 : 8
    }

    private static func step(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice {
        // Gates and their partners share a lane.
        let (rows, weightsPerLane) = problem.rows == 1 ? (1, stepWeightsPerLane(problem)) : (4, 2)
        let outputsPerLane = problem.isGated ? weightsPerLane / 2 : weightsPerLane
        let variant = KernelVariant(
            "linear/step_\(problem.format.rawValue)_\(problem.load.rawValue)",
            constants: [
                UInt32(rows), UInt32(weightsPerLane), problem.activation.rawValue, problem.norm?.rawValue ?? 0,
                problem.isGated.constant,
                UInt32(problem.rowsPerPanel),
            ])
        return KernelChoice(
            variant, x: divideRoundingUp(problem.outputs, properties.subgroupSize * outputsPerLane),
            y: divideRoundingUp(problem.rows, rows))
    }

    /// Weight rows of a lane in a step of one row. Measured on lavapipe with whole models: by texel four rows of blocks make
    /// SmolLM2 in q4_1 a tenth faster than six, and Whisper in f16 a tenth slower.
    private static func stepWeightsPerLane(_ problem: LinearProblem) -> Int {
        if problem.format == .f32 { return 2 }
        return problem.load == .texel && problem.format.isQuantized ? 4 : 6
    }

    private static func row(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice {
        let rows = [1, 2, 4, 8].first { $0 >= problem.rows } ?? streamedRows
        let usesDots = problem.format.isQuantized && properties.acceleratesPackedDot
        // Reading a run of x is shared by a subgroup's weight rows, and dearer in whole numbers.
        let weightRows = usesDots ? (rows == 1 ? 4 : 2) : (rows == 1 || problem.isGated ? 2 : 1)
        let outputs = problem.isGated ? weightRows / 2 : weightRows
        let count = subgroups(forInvocations: 128, properties)
        // A lane's least: one run of 32 elements, or two of 8.
        let stretch = (usesDots ? 32 : 16) * properties.subgroupSize
        let split = split(
            streams: divideRoundingUp(problem.outputs, outputs), stretches: problem.inputs / stretch, subgroups: count)
        let variant = KernelVariant(
            "linear/\(usesDots ? "dot" : "row")_\(problem.format.rawValue)",
            constants: [
                UInt32(rows), UInt32(weightRows), problem.activation.rawValue, problem.hasWideRows.constant,
                UInt32(count),
                problem.norm?.rawValue ?? 0, problem.isGated.constant, UInt32(split),
            ])
        return KernelChoice(variant, x: divideRoundingUp(problem.outputs, outputs * (count / split)))
    }

    /// Subgroups that share a row's K: so many that a large GPU's memory has enough to fetch at once (two MiB in flight for
    /// H100's 3.3 TB/s at 0.6 µs: 2000 subgroups of 32 lanes that each wait for two rows).
    private static func split(streams: Int, stretches: Int, subgroups: Int) -> Int {
        var split = 1
        while subgroups % (split * 2) == 0 && streams * split < 2048 && stretches >= split * 2 { split *= 2 }
        return split
    }

    /// `true` when a product has enough tiles of 128 × 128 for every core of a large GPU (H100 has 132).
    private static func fillsLargeTiles(_ problem: LinearProblem) -> Bool {
        (problem.rows / 128) * (problem.weightRows / 128) >= 128
    }

    private static func matrix(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice? {
        guard let shape = properties.cooperativeMatrix else { return nil }
        // Subgroups, and matrices of a subgroup: 2 × 2 of 2 × 2, or 4 × 2 of 2 × 4 where such tiles are enough to go round; each
        // in slices as deep as shared memory allows.
        let large = (rows: 4, columns: 2, ofRows: 2, ofColumns: 4),
            small = (rows: 2, columns: 2, ofRows: 2, ofColumns: 2)
        for (size, depth) in (fillsLargeTiles(problem) ? [(large, 32), (large, 16)] : []) + [(small, 32), (small, 16)] {
            let subgroups = size.rows * size.columns
            let (m, n) = (size.rows * size.ofRows * shape.m, size.columns * size.ofColumns * shape.n)
            let halves = (2 * m + (problem.format == .f16 ? 1 : 2) * n) * (depth + 8)
            let sharedBytes = halves * 2 + (subgroups * shape.m * shape.n + m) * 4
            guard sharedBytes <= properties.maxSharedMemoryBytes,
                subgroups * properties.subgroupSize <= properties.maxWorkgroupInvocations,
                depth % shape.k == 0, n % 4 == 0
            else { continue }
            let variant = KernelVariant(
                "linear/matrix_\(problem.format.rawValue)",
                constants: [
                    problem.activation.rawValue, problem.hasWideRows.constant, UInt32(subgroups),
                    problem.isGated.constant,
                ]
                    + [shape.m, shape.n, shape.k, size.rows, size.ofRows, size.ofColumns, depth].map { UInt32($0) })
            return KernelChoice(
                variant, x: divideRoundingUp(problem.outputs, problem.isGated ? n / 2 : n),
                y: divideRoundingUp(problem.rows, m))
        }
        return nil
    }

    private static func tile(_ problem: LinearProblem, _ properties: DeviceProperties) -> KernelChoice {
        let side = fillsLargeTiles(problem) ? 128 : 64
        let variant = KernelVariant(
            "linear/tile_\(problem.format.rawValue)",
            constants: [
                problem.activation.rawValue, problem.hasWideRows.constant, UInt32(256 / properties.subgroupSize),
                UInt32(side / 64),
                problem.isGated.constant,
            ])
        return KernelChoice(
            variant, x: divideRoundingUp(problem.outputs, problem.isGated ? side / 2 : side),
            y: divideRoundingUp(problem.rows, side))
    }
}
