import Checkpoint
import Compute
import NumberFormats

/// Place of a parameter's values in a checkpoint: a stored tensor, or some of its rows (of a fused matrix).
package struct StoredSlice: Sendable, Hashable {
    package let name: String
    /// First row along the stored tensor's first axis; `nil` means all of it.
    package let firstRow: Int?

    package init(_ name: String, firstRow: Int? = nil) {
        self.name = name
        self.firstRow = firstRow
    }
}

/// Names of a file family for the models' Hugging Face names.
package protocol CheckpointNaming: Sendable {
    /// The places to look for a key, best first.
    func candidates(for key: String) -> [StoredSlice]
}

/// The names as they are, with prefixes that some exporters add or drop.
package struct HuggingFaceNaming: CheckpointNaming {
    private let optionalPrefixes: [String]

    /// - Parameter optionalPrefixes: prefixes (with their dot) that a file may lack, or have in addition.
    package init(optionalPrefixes: [String] = ["model."]) { self.optionalPrefixes = optionalPrefixes }

    package func candidates(for key: String) -> [StoredSlice] {
        var result = [StoredSlice(key)]
        for prefix in optionalPrefixes {
            result.append(StoredSlice(key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : prefix + key))
        }
        return result
    }
}

/// Checkpoints read by the models' names: one, or several that hold parts of a model (text model and vision tower as GGUF
/// files).
package struct WeightSource {
    private let parts: [(checkpoint: Checkpoint, naming: any CheckpointNaming)]

    package init(checkpoint: Checkpoint, naming: any CheckpointNaming) { parts = [(checkpoint, naming)] }

    /// Looks in one source after the other.
    package init(joining sources: [WeightSource]) { parts = sources.flatMap(\.parts) }

    /// The formats weights may have.
    static let supportedFormats = LinearSelection.formats

    /// A stored tensor, and its first row that is meant.
    struct Located {
        let checkpoint: Checkpoint
        let entry: TensorEntry
        let firstRow: Int
    }

    /// True where there is a tensor for a key.
    package func contains(_ key: String) -> Bool {
        parts.contains { part in part.naming.candidates(for: key).contains { part.checkpoint.contains($0.name) } }
    }

    /// Finds a part's stored tensor and checks its shape.
    /// - Returns: the stored tensor, or `nil` for an absent optional part.
    func locate(_ part: Parameter.Part) throws -> Located? {
        for (checkpoint, naming) in parts {
            for slice in naming.candidates(for: part.key) where checkpoint.contains(slice.name) {
                return try check(slice, of: checkpoint, for: part)
            }
        }
        if part.isOptional { return nil }
        // Named as the file would have it.
        let place = parts.lazy.compactMap { source in
            source.naming.candidates(for: part.key).first.map { (source.checkpoint.path, $0.name) }
        }.first
        throw TransformerError.missingTensor(
            file: place?.0 ?? parts.first?.checkpoint.path ?? "", tensor: place?.1 ?? part.key, expected: part.shape)
    }

    private func check(_ slice: StoredSlice, of checkpoint: Checkpoint, for part: Parameter.Part) throws -> Located {
        let entry = try checkpoint.entry(slice.name)
        let fits: Bool
        if let firstRow = slice.firstRow {
            fits =
                entry.shape.dropFirst() == part.shape.dropFirst() && firstRow + part.shape[0] <= entry.shape.first ?? 1
        } else {
            // Class tokens and position tables are stored with dimensions of 1 before their own.
            fits = entry.shape.drop { $0 == 1 } == part.shape.drop { $0 == 1 }
        }
        guard fits else {
            throw TransformerError.shapeMismatch(
                file: checkpoint.path, tensor: slice.name, expected: part.shape, actual: entry.shape)
        }
        guard entry.format.weightFormat != nil else {
            throw TransformerError.unsupportedFormat(
                file: checkpoint.path, tensor: slice.name, format: entry.format, supported: Self.supportedFormats)
        }
        return Located(checkpoint: checkpoint, entry: entry, firstRow: slice.firstRow ?? 0)
    }

    /// The first of the files or folders.
    var path: String { parts.first?.checkpoint.path ?? "" }

    /// Replacement for the weights of a checkpoint that has none.
    var standIn: Checkpoint.StandIn? { parts.lazy.compactMap(\.checkpoint.standIn).first }

    /// Gives every matrix the format its values have in the checkpoint.
    package func assignFormats(to list: ParameterList) throws {
        if let standIn { return list.assignFormat(standIn.format) }
        try list.assignFormats { parameter in
            let formats = try parameter.parts.map { try locate($0)?.entry.format ?? .f32 }
            return switch parameter.form {
            case .dense, .scalar: formats.map { _ in .f32 }
            case .matrix: formats.map { $0.weightFormat ?? $0 }
            // These are rearranged while loading, which blocks cannot be.
            case .convolution, .transposed, .interleaved: formats.map { $0.isQuantized ? .f32 : $0 }
            }
        }
    }
}

extension ParameterList {
    /// Gives every matrix one format (f16 where its rows are no whole blocks): for plans made from a configuration alone, and
    /// for weights that are converted while they are loaded.
    package func assignFormat(_ format: ElementFormat) {
        assignFormats { parameter in
            let fits = parameter.columns % format.elementsPerBlock == 0
            let isPlain = parameter.form == .dense || parameter.form == .scalar
            let chosen = isPlain ? .f32 : fits ? format : .f16
            return parameter.parts.map { _ in chosen }
        }
    }
}
