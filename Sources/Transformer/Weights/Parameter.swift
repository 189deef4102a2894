import Compute
import NumberFormats

/// One weight of a model: declared from the configuration alone, given its place on the device at load.
///
/// Declaring first is what lets a load plan be made without the weights, and lets loading follow that same plan.
package final class Parameter {
    /// Form on the device.
    package enum Form: Sendable, Hashable {
        /// `[outputs, inputs]` in the checkpoint's own format, rows padded for the kernels.
        case matrix
        /// Small or added-in tensors (norms, biases, position tables): f32.
        case dense
        /// A convolution `[out, in, kernel]` or `[out, in, side, side]`, held as the matrix `[out, kernel · in]` that meets a
        /// window of input with the channels last, in the checkpoint's own format.
        case convolution
        /// `[inputs, outputs]` in the checkpoint, held as the matrix `[outputs, inputs]` in the checkpoint's own format.
        case transposed
        /// A matrix `[outputs, first + size · groups]` in the checkpoint whose columns behind the first are interleaved:
        /// column first + c · groups + g is element c of group g. Held with one group after another.
        case interleaved(first: Int, groups: Int)
        /// A single number that the host hands to kernels (a gate): it takes no device memory.
        case scalar
    }

    /// One checkpoint tensor; several are stacked along the first axis (fused query, key, value).
    package struct Part: Sendable, Hashable {
        package let key: String
        package let shape: [Int]
        /// Zeros stand in for an absent optional part (Whisper's keys have no bias).
        package let isOptional: Bool
    }

    package let parts: [Part]
    package let form: Form
    package let purpose: MemoryPurpose
    /// Rows and columns as the kernels see them.
    package let rows: Int
    package let columns: Int

    /// True where each decode step reads all of it. False for a table that tokens are looked up in, and for what is read once for
    /// each input.
    package var isReadEachStep = true

    /// The values of an optional tensor that the checkpoint lacks; without it they are zeros.
    let substitute: (() -> [Float])?
    /// Added to each value of a dense tensor while loading.
    let offset: Float

    /// Each part's format on the device. Parts of a fused matrix may differ (GGUF files keep values in finer formats than
    /// queries).
    package fileprivate(set) var formats: [ElementFormat]
    /// The place on the device, while the model is loaded; see `WeightLayout`.
    var byteOffset = 0
    var buffer: Buffer?
    var number: Float?

    init(
        parts: [Part], form: Form, purpose: MemoryPurpose, substitute: (() -> [Float])? = nil, offset: Float = 0
    ) {
        self.substitute = substitute
        self.offset = offset
        precondition(!parts.isEmpty && parts.allSatisfy { !$0.shape.isEmpty })
        self.parts = parts
        formats = Array(repeating: .f32, count: parts.count)
        self.form = form
        self.purpose = purpose
        let first = form == .transposed ? parts[0].shape.dropFirst().reduce(1, *) : parts.reduce(0) { $0 + $1.shape[0] }
        let rest = form == .transposed ? parts[0].shape[0] : parts[0].shape.dropFirst().reduce(1, *)
        // A vector is one row.
        rows = parts[0].shape.count == 1 ? 1 : first
        columns = parts[0].shape.count == 1 ? first : rest
    }

    /// The name used in messages.
    package var name: String { parts.count == 1 ? parts[0].key : parts.map(\.key).joined(separator: " + ") }

    /// True where linear kernels read it.
    var isMatrix: Bool {
        switch form {
        case .dense, .scalar: false
        case .matrix, .convolution, .transposed, .interleaved: true
        }
    }

    /// Bytes on the device in the planned format.
    package var byteCount: Int {
        switch form {
        case .scalar: 0
        case .dense: rows * columns * 4
        case .matrix, .convolution, .transposed, .interleaved:
            segments.reduce(0) { $0 + byteCount(of: $1) }
        }
    }

    private typealias Segment = (rows: Range<Int>, format: ElementFormat)

    private func byteCount(of segment: Segment) -> Int {
        WeightMatrix.byteCount(
            rows: WeightMatrix.paddedRows(segment.rows.count), columns: columns, format: segment.format)
    }

    /// Runs of rows of one format.
    private var segments: [Segment] {
        guard Set(formats).count > 1 else { return [(0..<rows, formats[0])] }
        var result: [Segment] = []
        var first = 0
        for (part, format) in zip(parts, formats) {
            let end = first + part.shape[0]
            if let last = result.last, last.format == format {
                result[result.count - 1].rows = last.rows.lowerBound..<end
            } else {
                result.append((first..<end, format))
            }
            first = end
        }
        return result
    }

    /// The matrix that linear kernels read. The parameter must be loaded, and all of one format.
    package var matrix: WeightMatrix {
        let all = matrices
        precondition(all.count == 1, "parameter \(name) is in several formats: use its matrices")
        return all[0].matrix
    }

    /// The matrices that linear kernels read one after another, and the outputs that each gives. The parameter must be
    /// loaded.
    package var matrices: [(outputs: Range<Int>, matrix: WeightMatrix)] {
        guard let buffer, form != .dense, form != .scalar else {
            preconditionFailure("parameter \(name) is not a loaded matrix")
        }
        var offset = byteOffset
        return segments.map { segment in
            let matrix = WeightMatrix(
                buffer: buffer, byteOffset: offset, rows: segment.rows.count, columns: columns, format: segment.format,
                rowsPerPanel: WeightMatrix.panelRows(for: buffer.device.properties))
            offset += byteCount(of: segment)
            return (segment.rows, matrix)
        }
    }

    /// Offset of each part in the parameter's buffer; of a matrix, as long as rows lie one after another.
    var partOffsets: [Int] {
        var offset = byteOffset
        var result: [Int] = []
        guard isMatrix else {
            for part in parts {
                result.append(offset)
                offset += part.shape.reduce(1, *) * 4
            }
            return result
        }
        for segment in segments {
            let rowBytes = WeightMatrix.rowBytes(columns: columns, format: segment.format)
            var row = 0
            while row < segment.rows.count {
                result.append(offset + row * rowBytes)
                row += parts.count == 1 ? rows : parts[result.count - 1].shape[0]
            }
            offset += byteCount(of: segment)
        }
        return result
    }

    /// The f32 tensor that norms and additions read. The parameter must be loaded.
    package var tensor: Tensor {
        guard let buffer, form == .dense else { preconditionFailure("parameter \(name) is not a loaded dense tensor") }
        return Tensor(buffer: buffer, byteOffset: byteOffset, rows: rows, columns: columns)
    }

    /// The value of a scalar. The parameter must be loaded.
    package var scalar: Float {
        guard let number, form == .scalar else { preconditionFailure("parameter \(name) is not a loaded scalar") }
        return number
    }
}

/// All parameters of a model, in the order they were declared.
package final class ParameterList {
    package private(set) var parameters: [Parameter] = []
    private var cachedLayout: WeightLayout?

    package init() {}

    func append(_ parameter: Parameter) {
        parameters.append(parameter)
        cachedLayout = nil
    }

    /// Sets the formats that each parameter's parts have on the device.
    func assignFormats(_ formats: (Parameter) throws -> [ElementFormat]) rethrows {
        cachedLayout = nil
        for parameter in parameters { parameter.formats = try formats(parameter) }
    }

    /// The places of the parameters in the formats assigned: built once, for the plan and the loader.
    package var layout: WeightLayout {
        if let cachedLayout { return cachedLayout }
        let layout = WeightLayout(self)
        cachedLayout = layout
        return layout
    }
}

/// A place in the checkpoint's name tree from which layers declare their parameters.
package struct ParameterScope {
    package let list: ParameterList
    package let prefix: String
    package let purpose: MemoryPurpose

    package init(list: ParameterList, prefix: String = "", purpose: MemoryPurpose) {
        self.list = list
        self.prefix = prefix
        self.purpose = purpose
    }

    /// The scope one name deeper.
    package func callAsFunction(_ name: String) -> ParameterScope {
        ParameterScope(list: list, prefix: prefix + name + ".", purpose: purpose)
    }

    /// `[outputs, inputs]`
    package func matrix(_ name: String, outputs: Int, inputs: Int) -> Parameter {
        declare([.init(key: prefix + name, shape: [outputs, inputs], isOptional: false)], .matrix)
    }

    /// Matrices of different outputs and the same inputs as one, stacked along the outputs.
    package func matrix(stacking parts: [(name: String, outputs: Int)], inputs: Int) -> Parameter {
        declare(parts.map { .init(key: prefix + $0.name, shape: [$0.outputs, inputs], isOptional: false) }, .matrix)
    }

    /// A matrix that the checkpoint keeps as `[inputs, outputs]`.
    package func transposedMatrix(_ name: String, outputs: Int, inputs: Int) -> Parameter {
        declare([.init(key: prefix + name, shape: [inputs, outputs], isOptional: false)], .transposed)
    }

    /// Vectors end to end; zeros for those named in `optional` that the checkpoint lacks.
    package func vector(stacking parts: [(name: String, count: Int)], optional: Set<String> = []) -> Parameter {
        declare(
            parts.map { .init(key: prefix + $0.name, shape: [$0.count], isOptional: optional.contains($0.name)) },
            .dense)
    }

    /// `[count]`
    /// - Parameter offset: added to each value while loading.
    package func vector(_ name: String, count: Int, offset: Float = 0) -> Parameter {
        declare([.init(key: prefix + name, shape: [count], isOptional: false)], .dense, offset: offset)
    }

    /// A matrix whose inputs behind the first `first` are interleaved in the checkpoint; see `Parameter.Form.interleaved`.
    package func interleavedMatrix(_ name: String, outputs: Int, first: Int, groups: Int, size: Int) -> Parameter {
        declare(
            [.init(key: prefix + name, shape: [outputs, first + groups * size], isOptional: false)],
            .interleaved(first: first, groups: groups))
    }

    /// A tensor of one element, `[1]`.
    package func scalar(_ name: String) -> Parameter {
        declare([.init(key: prefix + name, shape: [1], isOptional: false)], .scalar)
    }

    /// `[rows, columns]` held as f32.
    package func table(_ name: String, rows: Int, columns: Int) -> Parameter {
        declare([.init(key: prefix + name, shape: [rows, columns], isOptional: false)], .dense)
    }

    /// `[rows, columns]` held as f32; where the checkpoint has none, `substitute` gives the values, row after row, or they
    /// are zeros.
    package func optionalTable(_ name: String, rows: Int, columns: Int, substitute: (() -> [Float])? = nil) -> Parameter
    {
        let parameter = Parameter(
            parts: [.init(key: prefix + name, shape: [rows, columns], isOptional: true)], form: .dense,
            purpose: purpose,
            substitute: substitute)
        list.append(parameter)
        return parameter
    }

    /// A 1-D convolution's `[outputs, inputs, kernel]`.
    package func convolution(_ name: String, outputs: Int, inputs: Int, kernel: Int) -> Parameter {
        declare([.init(key: prefix + name, shape: [outputs, inputs, kernel], isOptional: false)], .convolution)
    }

    /// A 2-D convolution's `[outputs, inputs, side, side]`, for neighborhoods of places with their channels last.
    package func planeConvolution(_ name: String, outputs: Int, inputs: Int, side: Int) -> Parameter {
        declare([.init(key: prefix + name, shape: [outputs, inputs, side, side], isOptional: false)], .convolution)
    }

    /// A depthwise 2-D convolution's `[channels, 1, side, side]` held as f32 `[channels, side²]`.
    package func planeKernels(_ name: String, channels: Int, side: Int) -> Parameter {
        declare([.init(key: prefix + name, shape: [channels, 1, side, side], isOptional: false)], .dense)
    }

    /// A 2-D convolution's `[outputs, channels, patchSize, patchSize]` whose stride is its width: the matrix `[outputs,
    /// channels · patchSize²]` over rows of whole patches.
    package func patches(_ name: String, outputs: Int, channels: Int, patchSize: Int) -> Parameter {
        declare(
            [.init(key: prefix + name, shape: [outputs, channels, patchSize, patchSize], isOptional: false)], .matrix)
    }

    private func declare(_ parts: [Parameter.Part], _ form: Parameter.Form, offset: Float = 0) -> Parameter {
        let parameter = Parameter(parts: parts, form: form, purpose: purpose, offset: offset)
        list.append(parameter)
        return parameter
    }
}

extension ParameterList {
    /// Lets go of the device memory of all parameters.
    package func release() {
        for parameter in parameters {
            parameter.buffer = nil
            parameter.number = nil
        }
    }
}

extension ParameterList {
    /// Number of weights by purpose. Optional tensors do not count.
    package var elementsByPurpose: [MemoryPurpose: Int] {
        parameters.reduce(into: [:]) { counts, parameter in
            counts[parameter.purpose, default: 0] += parameter.parts.filter { !$0.isOptional }.reduce(0) {
                $0 + $1.shape.reduce(1, *)
            }
        }
    }

    /// Bytes of the decoder's weights that one decode step reads, in the formats assigned.
    package var bytesReadEachStep: Int {
        parameters.reduce(0) { $1.purpose == .weightsDecoder && $1.isReadEachStep ? $0 + $1.byteCount : $0 }
    }

    /// The formats that matrices have on the device, the one that most weights are in first.
    package var matrixFormats: [ElementFormat] {
        var counts: [ElementFormat: Int] = [:]
        for parameter in parameters where parameter.isMatrix {
            for (part, format) in zip(parameter.parts, parameter.formats) {
                counts[format, default: 0] += part.shape.reduce(1, *)
            }
        }
        return counts.sorted { ($0.value, $1.key.rawValue) > ($1.value, $0.key.rawValue) }.map(\.key)
    }
}
