import Compute
import Foundation

/// Relative positions of T5 (Raffel et al. 2020): distances fall into buckets, exact near by and logarithmic further
/// off, and each head has a weight per bucket that is added to its scores. One set serves all layers of a stack, or each
/// layer has its own (UMT5, Chung et al. 2023). Reference: transformers' `T5Attention._relative_position_bucket` and
/// `compute_bias`.
package final class RelativePositions: DeviceResource {
    package struct Shape: Sendable, Hashable {
        package var heads: Int
        package var buckets: Int
        /// From this distance on all is one bucket.
        package var maximumDistance: Int
        /// Encoders tell keys before the query from keys after it; decoders have only the former.
        package var isBidirectional: Bool
        /// Positions there is memory for.
        package var positions: Int

        package init(heads: Int, buckets: Int, maximumDistance: Int, isBidirectional: Bool, positions: Int) {
            self.heads = heads
            self.buckets = buckets
            self.maximumDistance = maximumDistance
            self.isBidirectional = isBidirectional
            self.positions = positions
        }

        /// The bucket of a key at `distance` = key position − query position. In f32, as the reference computes it.
        package func bucket(distance: Int) -> Int {
            let count = isBidirectional ? buckets / 2 : buckets
            let base = isBidirectional && distance > 0 ? count : 0
            let steps = isBidirectional ? abs(distance) : max(-distance, 0)
            let exact = count / 2
            if steps < exact { return base + steps }
            let scale = Float(log(Double(maximumDistance) / Double(exact)))
            let far = log(Float(steps) / Float(exact)) / scale * Float(count - exact)
            return base + min(exact + Int(far), count - 1)
        }
    }

    package let shape: Shape
    /// `[buckets, heads]`: one for all layers, or one for each.
    private let weights: [Parameter]
    private let square: Slot
    private var buckets: Buffer?
    private var byDistance: Buffer?

    /// - Parameters:
    ///   - scopes: the attentions that hold `relative_attention_bias.weight`: one for all layers, or one for each.
    ///   - phase: of the workspace, in which the bias of many positions lives.
    package init(_ scopes: [ParameterScope], shape: Shape, workspace: Workspace, phase: String) {
        self.shape = shape
        weights = scopes.map {
            $0.table("relative_attention_bias.weight", rows: shape.buckets, columns: shape.heads)
        }
        square = workspace.reserve(
            "position bias", rows: shape.heads * shape.positions, columns: shape.positions, phase: phase)
    }

    private var label: String { shape.isBidirectional ? "encoder distances" : "decoder distances" }
    private var distanceCount: Int { 2 * shape.positions - 1 }
    /// Decoders also keep the list by distance back from the query, for single steps.
    private var bucketBytes: Int { 4 * (distanceCount + (shape.isBidirectional ? 0 : shape.positions)) }
    private var tableRows: Int { weights.count * shape.heads }
    private var tableBytes: Int { 4 * tableRows * shape.positions }
    /// True where the bias of each layer is another.
    package var isPerLayer: Bool { weights.count > 1 }

    package var plannedBuffers: [PlannedBuffer] {
        [PlannedBuffer(purpose: .staging, label: label, byteCount: bucketBytes)]
            + (shape.isBidirectional
                ? [] : [PlannedBuffer(purpose: .activations, label: "bias by distance", byteCount: tableBytes)])
    }

    package func allocate(on device: Device) throws {
        let reach = shape.positions - 1
        let list = try device.makeBuffer(byteCount: bucketBytes, purpose: .staging, label: label, access: .upload)
        list.write((-reach...reach).map { UInt32(shape.bucket(distance: $0)) })
        buckets = list
        guard !shape.isBidirectional else { return }
        list.write((0...reach).map { UInt32(shape.bucket(distance: -$0)) }, at: 4 * distanceCount)
        byDistance = try device.makeBuffer(byteCount: tableBytes, purpose: .activations, label: "bias by distance")
    }

    package func derive(on stream: CommandStream) throws {
        guard let buckets, byDistance != nil else { return }
        for (layer, weights) in weights.enumerated() {
            try stream.relativeBias(
                weights: weights.tensor,
                buckets: Tensor(
                    buffer: buckets, byteOffset: 4 * distanceCount, rows: 1, columns: shape.positions, format: .i32),
                first: 0, queries: 1, into: decodeBias(layer: layer).values)
        }
    }

    package func release() {
        buckets = nil
        byDistance = nil
    }

    private func index(_ layer: Int) -> Int { isPerLayer ? layer : 0 }

    /// The bias of a layer's queries at `firstPosition…` to keys from 0 on, with a mask `[1, keys]` added; the next call
    /// overwrites it.
    package func bias(
        layer: Int, queries: Int, keys: Int, firstPosition: Int = 0, mask: Tensor? = nil, on stream: CommandStream
    ) throws -> AttentionBias {
        guard let buckets else { preconditionFailure("the relative positions are not allocated") }
        let place = square.tensor
        let values = Tensor(
            buffer: place.buffer, byteOffset: place.byteOffset, rows: shape.heads * queries, columns: keys)
        try stream.relativeBias(
            weights: weights[index(layer)].tensor,
            buckets: Tensor(buffer: buckets, rows: 1, columns: distanceCount, format: .i32),
            first: shape.positions - 1 - firstPosition, mask: mask, queries: queries, into: values)
        return AttentionBias(values: values, isPerHead: true)
    }

    /// The bias of a layer's decode step.
    package func decodeBias(layer: Int) -> DecodeBias {
        guard let byDistance else { preconditionFailure("the relative positions are not allocated") }
        let table = Tensor(buffer: byDistance, rows: tableRows, columns: shape.positions)
        let first = index(layer) * shape.heads
        return DecodeBias(values: table.rows(first..<first + shape.heads), index: .distance)
    }
}
