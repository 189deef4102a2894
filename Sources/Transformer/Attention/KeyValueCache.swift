import Compute

/// The keys and values that attention has already computed, for every layer of a decoder.
///
/// Per layer `[hypotheses · capacity, 2 · width]` f32: each row is one position's keys followed by its values, of all
/// key/value heads.
package final class KeyValueCache {
    package let purpose: MemoryPurpose
    package let layers: Int
    /// Positions per hypothesis.
    package private(set) var capacity: Int
    private let initialCapacity: Int
    /// Key/value heads × head dimension.
    package let width: Int
    package private(set) var hypotheses: Int
    private var buffer: Buffer?
    private var scratch: Buffer?

    package init(purpose: MemoryPurpose, layers: Int, capacity: Int, width: Int, hypotheses: Int = 1) {
        self.purpose = purpose
        self.layers = layers
        self.capacity = capacity
        initialCapacity = capacity
        self.width = width
        self.hypotheses = hypotheses
    }

    /// Bytes one position costs over all layers.
    package var bytesPerPosition: Int { layers * 2 * width * 4 }

    private func byteCount(hypotheses: Int) -> Int { layers * hypotheses * capacity * 2 * width * 4 }

    package var plannedBuffer: PlannedBuffer {
        PlannedBuffer(purpose: purpose, label: purpose.rawValue, byteCount: byteCount(hypotheses: hypotheses))
    }

    package func allocate(on device: Device) throws {
        // Self-attention reads no row that was not written.
        buffer = try device.makeBuffer(
            byteCount: byteCount(hypotheses: hypotheses), purpose: purpose, label: purpose.rawValue,
            isCleared: purpose != .selfKV)
    }

    /// Lets go of the memory; the next use has one hypothesis and the first capacity again.
    package func release() {
        buffer = nil
        scratch = nil
        hypotheses = 1
        capacity = initialCapacity
    }

    /// Makes room for more positions of one hypothesis and keeps the first `positions` of them. The old memory goes when
    /// they have been copied.
    package func grow(to newCapacity: Int, keeping positions: Int, on stream: CommandStream) throws {
        guard newCapacity > capacity, let old = buffer else { return }
        precondition(hypotheses == 1 && positions <= capacity, "only a cache of one hypothesis grows")
        let rowBytes = 2 * width * 4
        let new = try old.device.makeBuffer(
            byteCount: layers * newCapacity * rowBytes, purpose: purpose, label: purpose.rawValue)
        if positions > 0 {
            for layer in 0..<layers {
                try stream.copy(
                    from: MemoryRange(
                        buffer: old, offset: layer * capacity * rowBytes, byteCount: positions * rowBytes),
                    to: MemoryRange(
                        buffer: new, offset: layer * newCapacity * rowBytes, byteCount: positions * rowBytes))
            }
        }
        try stream.finish()
        buffer = new
        scratch = nil
        capacity = newCapacity
    }

    /// Makes room for more hypotheses. What the cache held is lost; the device must be idle.
    /// - Returns: whether the memory moved, so that recordings that point at it are void.
    package func ensure(hypotheses count: Int, on device: Device) throws -> Bool {
        guard count > hypotheses else { return false }
        // The old memory goes first: both together might not fit.
        buffer = nil
        scratch = nil
        do {
            buffer = try device.makeBuffer(
                byteCount: byteCount(hypotheses: count), purpose: purpose, label: purpose.rawValue,
                isCleared: purpose != .selfKV)
            hypotheses = count
        } catch {
            buffer = try device.makeBuffer(
                byteCount: byteCount(hypotheses: hypotheses), purpose: purpose, label: purpose.rawValue,
                isCleared: purpose != .selfKV)
            throw error
        }
        return true
    }

    private func rows(layer: Int) -> Tensor {
        guard let buffer else { preconditionFailure("the cache is not allocated") }
        let rows = hypotheses * capacity
        return Tensor(buffer: buffer, byteOffset: layer * rows * 2 * width * 4, rows: rows, columns: 2 * width)
    }

    /// Keys and values of one hypothesis side by side, `[capacity, 2 · width]`.
    package func keysAndValues(layer: Int, hypothesis: Int = 0) -> Tensor {
        rows(layer: layer).rows(hypothesis * capacity..<(hypothesis + 1) * capacity)
    }

    /// Keys of all hypotheses, `[hypotheses · capacity, width]`.
    package func keys(layer: Int) -> Tensor { rows(layer: layer).columns(0..<width) }

    /// Values of all hypotheses, `[hypotheses · capacity, width]`.
    package func values(layer: Int) -> Tensor { rows(layer: layer).columns(width..<2 * width) }

    /// Gives every hypothesis the first `positions` rows of the one it continues.
    package func reorder(parents: [Int], positions: Int, on stream: CommandStream) throws {
        let moved = parents.indices.filter { parents[$0] != $0 }
        guard !moved.isEmpty, positions > 0, let buffer else { return }
        let rowBytes = 2 * width * 4
        let span = positions * rowBytes
        if (scratch?.byteCount ?? 0) < moved.count * span {
            scratch = nil
            scratch = try buffer.device.makeBuffer(
                byteCount: moved.count * capacity * rowBytes, purpose: purpose, label: "\(purpose.rawValue).reorder")
        }
        guard let scratch else { return }
        func place(_ layer: Int, _ hypothesis: Int) -> MemoryRange {
            MemoryRange(
                buffer: buffer, offset: (layer * hypotheses + hypothesis) * capacity * rowBytes, byteCount: span)
        }
        for layer in 0..<layers {
            for (slot, hypothesis) in moved.enumerated() {
                try stream.copy(
                    from: place(layer, parents[hypothesis]),
                    to: MemoryRange(buffer: scratch, offset: slot * span, byteCount: span))
            }
            for (slot, hypothesis) in moved.enumerated() {
                try stream.copy(
                    from: MemoryRange(buffer: scratch, offset: slot * span, byteCount: span),
                    to: place(layer, hypothesis))
            }
        }
    }
}
