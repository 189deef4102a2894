import NumberFormats

private struct ConvertPush: BitwiseCopyable {
    var x, result: UInt64
    var columns, xStride, resultStride: UInt32
    var scale: Float
}

private struct CombinePush: BitwiseCopyable {
    var a, b, result: UInt64
    var columns, aStride, bStride, resultStride: UInt32
}

/// Chooses the forms of the elementwise kernels.
package enum ElementwiseSelection {
    /// Elements of a row that one lane takes.
    static let piece = 16

    /// Format pairs with a conversion kernel.
    package static let conversions: [(ElementFormat, ElementFormat)] = [
        (.f32, .f32), (.f32, .f16), (.f16, .f32), (.bf16, .f32),
    ]

    package static func convert(
        from source: ElementFormat, to target: ElementFormat, cap: Float? = nil, rows: Int, columns: Int,
        _ properties: DeviceProperties
    ) -> KernelChoice {
        precondition(
            conversions.contains { $0 == (source, target) },
            "no conversion from \(source.rawValue) to \(target.rawValue)")
        return KernelChoice(
            KernelVariant(
                "elementwise/convert_\(source.rawValue)_\(target.rawValue)", constants: [(cap ?? 0).bitPattern]),
            x: divideRoundingUp(columns, properties.subgroupSize * piece), y: rows)
    }

    package static func combine(
        activation: Activation, operation: ElementwiseOperation?, rows: Int, columns: Int,
        _ properties: DeviceProperties
    ) -> KernelChoice {
        KernelChoice(
            KernelVariant("elementwise/combine", constants: [activation.rawValue, operation?.rawValue ?? 0]),
            x: divideRoundingUp(columns, properties.subgroupSize * piece), y: rows)
    }
}

/// Operation that joins two tensors element by element. Raw values are the kernel's codes.
package enum ElementwiseOperation: UInt32, Sendable, Hashable, CaseIterable {
    case add = 1
    case multiply = 2
}

extension CommandStream {
    /// out = x·scale, from and to f32 or f16 (bf16 to f32 too), of any row strides; with a cap, cap·tanh(x·scale / cap).
    /// out may be x where the formats are alike.
    package func convert(_ x: Tensor, scale: Float = 1, cap: Float? = nil, into out: Tensor) throws {
        precondition(out.rows == x.rows && out.columns == x.columns, "convert: out is not [\(x.rows), \(x.columns)]")
        if x.columns == 0 { return }
        try forEachPiece(of: x.rows) { rows in
            let (x, out) = (x.rows(rows), out.rows(rows))
            let push = ConvertPush(
                x: x.address, result: out.address, columns: UInt32(x.columns), xStride: UInt32(x.rowStride),
                resultStride: UInt32(out.rowStride), scale: scale)
            try dispatch(
                ElementwiseSelection.convert(
                    from: x.format, to: out.format, cap: cap, rows: rows.count, columns: x.columns, device.properties),
                push: push, reads: [x.byteRange], writes: [out.byteRange], label: "convert")
        }
    }

    /// out = activation(a) + b or activation(a)·b, f32; out may be a or b.
    package func combine(
        _ a: Tensor, activation: Activation = .none, _ operation: ElementwiseOperation, _ b: Tensor, into out: Tensor
    ) throws {
        precondition(b.rows == a.rows && b.columns == a.columns, "combine: b is not [\(a.rows), \(a.columns)]")
        try combine(a, activation: activation, operation: operation, b, into: out)
    }

    /// out = activation(x), f32; out may be x.
    package func activate(_ x: Tensor, _ activation: Activation, into out: Tensor) throws {
        try combine(x, activation: activation, operation: nil, nil, into: out)
    }

    /// out = a + b, f32.
    package func add(_ a: Tensor, _ b: Tensor, into out: Tensor) throws { try combine(a, .add, b, into: out) }

    private func combine(
        _ a: Tensor, activation: Activation, operation: ElementwiseOperation?, _ b: Tensor?, into out: Tensor
    ) throws {
        precondition(out.rows == a.rows && out.columns == a.columns, "combine: out is not [\(a.rows), \(a.columns)]")
        precondition([a, b ?? a, out].allSatisfy { $0.format == .f32 }, "combine: all is f32")
        if a.columns == 0 { return }
        try forEachPiece(of: a.rows) { rows in
            let (a, b, out) = (a.rows(rows), b?.rows(rows), out.rows(rows))
            let push = CombinePush(
                a: a.address, b: b?.address ?? 0, result: out.address, columns: UInt32(a.columns),
                aStride: UInt32(a.rowStride),
                bStride: UInt32(b?.rowStride ?? 0), resultStride: UInt32(out.rowStride))
            try dispatch(
                ElementwiseSelection.combine(
                    activation: activation, operation: operation, rows: rows.count, columns: a.columns,
                    device.properties),
                push: push, reads: [a.byteRange] + [b].compactMap { $0?.byteRange }, writes: [out.byteRange],
                label: "combine")
        }
    }

    /// Cuts more rows than a grid can have into several dispatches.
    private func forEachPiece(of rows: Int, _ body: (Range<Int>) throws -> Void) rethrows {
        let limit = device.properties.maxWorkgroupCount[1]
        for first in stride(from: 0, to: rows, by: limit) { try body(first..<min(first + limit, rows)) }
    }
}
