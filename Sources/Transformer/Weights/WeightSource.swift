import Checkpoint
import Compute
import Formats

/// Where a parameter's values are in a checkpoint: a stored tensor, or some of its rows (of a fused matrix).
public struct StoredSlice: Sendable, Hashable {
    public let name: String
    /// First row along the stored tensor's first axis; `nil` means all of it.
    public let firstRow: Int?

    public init(_ name: String, firstRow: Int? = nil) {
        self.name = name
        self.firstRow = firstRow
    }
}

/// How a file family names what the models call by their Hugging Face names.
public protocol CheckpointNaming: Sendable {
    /// The places to look for a key, best first.
    func candidates(for key: String) -> [StoredSlice]
}

/// The names as they are, with prefixes that some exporters add or drop.
public struct HuggingFaceNaming: CheckpointNaming {
    private let optionalPrefixes: [String]

    /// - Parameter optionalPrefixes: prefixes (with their dot) that a file may lack, or have in addition.
    public init(optionalPrefixes: [String] = ["model."]) { self.optionalPrefixes = optionalPrefixes }

    public func candidates(for key: String) -> [StoredSlice] {
        var result = [StoredSlice(key)]
        for prefix in optionalPrefixes {
            result.append(StoredSlice(key.hasPrefix(prefix) ? String(key.dropFirst(prefix.count)) : prefix + key))
        }
        return result
    }
}

/// A checkpoint read by the models' names.
public struct WeightSource {
    public let checkpoint: Checkpoint
    public let naming: any CheckpointNaming

    public init(checkpoint: Checkpoint, naming: any CheckpointNaming) {
        self.checkpoint = checkpoint
        self.naming = naming
    }

    /// The formats weights may have.
    static let supportedFormats = LinearSelection.formats

    /// Finds a part's stored tensor and checks its shape.
    /// - Returns: the entry and the first row to read, or `nil` for an absent optional part.
    func locate(_ part: Parameter.Part) throws -> (entry: TensorEntry, firstRow: Int)? {
        for slice in naming.candidates(for: part.key) where checkpoint.contains(slice.name) {
            let entry = try checkpoint.entry(slice.name)
            let rows = entry.shape.first ?? 1
            let fits: Bool
            if let firstRow = slice.firstRow {
                fits = entry.shape.dropFirst() == part.shape.dropFirst() && firstRow + part.shape[0] <= rows
            } else {
                fits = entry.shape == part.shape
            }
            guard fits else {
                throw TransformerError.shapeMismatch(
                    file: checkpoint.path, tensor: slice.name, expected: part.shape, actual: entry.shape)
            }
            guard Self.supportedFormats.contains(entry.format) else {
                throw TransformerError.unsupportedFormat(
                    file: checkpoint.path, tensor: slice.name, format: entry.format, supported: Self.supportedFormats)
            }
            return (entry, slice.firstRow ?? 0)
        }
        if part.isOptional { return nil }
        throw TransformerError.missingTensor(file: checkpoint.path, tensor: part.key, expected: part.shape)
    }

    /// What is taken for the weights where the checkpoint has none.
    var standIn: Checkpoint.StandIn? { checkpoint.standIn }

    /// Gives every matrix the format its values have in the checkpoint.
    public func assignFormats(to list: ParameterList) throws {
        if let standIn { return list.assignFormat(standIn.format) }
        for parameter in list.parameters {
            let formats = try parameter.parts.map { try locate($0)?.entry.format ?? .f32 }
            switch parameter.form {
            case .dense: parameter.formats = formats.map { _ in .f32 }
            case .matrix: parameter.formats = formats
            // These are rearranged while loading, which blocks cannot be.
            case .convolution, .transposed: parameter.formats = formats.map { $0.isQuantized ? .f32 : $0 }
            }
        }
    }
}

extension ParameterList {
    /// Gives every matrix one format (f16 where its rows are no whole blocks): for plans made from a configuration alone, and
    /// for weights that are converted while they are loaded.
    public func assignFormat(_ format: ElementFormat) {
        for parameter in parameters {
            let fits = parameter.columns % format.elementsPerBlock == 0
            let chosen = parameter.form == .dense ? .f32 : fits ? format : .f16
            parameter.formats = parameter.parts.map { _ in chosen }
        }
    }
}
