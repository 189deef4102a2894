import Compute
import NumberFormats

/// The keys and values that attention has already computed, for every layer of a decoder.
///
/// Per layer `[hypotheses · capacity, 2 · width]`, f32 or f16: each row is one position's keys followed by its values, of all
/// key/value heads.
package final class KeyValueCache {
    package let purpose: MemoryPurpose
    /// Number format of the entries, one of `formats`. Set before memory is planned or allocated.
    package var format = ElementFormat.f32
    /// Layers, in the order of their memory.
    private let layers: [Int]
    /// Positions per hypothesis.
    package private(set) var capacity: Int
    private let initialCapacity: Int
    /// Key/value heads × head dimension of each layer.
    private let widths: [Int: Int]
    /// Sum of the widths of the layers before each.
    private let widthsBefore: [Int: Int]
    private let totalWidth: Int
    package private(set) var hypotheses: Int
    private var buffer: Buffer?
    private var scratch: Buffer?

    /// - Parameter widths: key/value heads × head dimension of each layer that has entries.
    package init(purpose: MemoryPurpose, widths: [Int: Int], capacity: Int) {
        self.purpose = purpose
        self.widths = widths
        layers = widths.keys.sorted()
        var (sum, before) = (0, [Int: Int]())
        for layer in layers {
            before[layer] = sum
            sum += widths[layer] ?? 0
        }
        (widthsBefore, totalWidth) = (before, sum)
        self.capacity = capacity
        initialCapacity = capacity
        hypotheses = 1
    }

    /// Formats that entries can have.
    package static let formats: [ElementFormat] = [.f32, .f16]

    private var elementBytes: Int { format.bytesPerBlock }

    /// Bytes one position costs over all layers.
    package var bytesPerPosition: Int { 2 * totalWidth * elementBytes }

    /// Largest row of a layer, keys and values, in elements.
    var largestRow: Int { 2 * (widths.values.max() ?? 0) }

    private func byteCount(hypotheses: Int) -> Int { hypotheses * capacity * bytesPerPosition }

    /// Bytes of one position of a layer, and of one position of all layers before it.
    private func rowBytes(_ layer: Int) -> Int { 2 * width(layer) * elementBytes }
    private func bytesBefore(_ layer: Int) -> Int { 2 * (widthsBefore[layer] ?? 0) * elementBytes }

    private func width(_ layer: Int) -> Int {
        guard let width = widths[layer] else { preconditionFailure("layer \(layer) has no entries in this cache") }
        return width
    }

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
        let new = try old.device.makeBuffer(
            byteCount: newCapacity * bytesPerPosition, purpose: purpose, label: purpose.rawValue)
        if positions > 0 {
            for layer in layers {
                let bytes = positions * rowBytes(layer)
                try stream.copy(
                    from: MemoryRange(buffer: old, offset: capacity * bytesBefore(layer), byteCount: bytes),
                    to: MemoryRange(buffer: new, offset: newCapacity * bytesBefore(layer), byteCount: bytes))
            }
        }
        try stream.finish()
        buffer = new
        scratch = nil
        capacity = newCapacity
    }

    /// Makes room for more hypotheses. What the cache held is lost; the device must be idle.
    /// Recordings that point at the old memory are void, also after an error.
    package func ensure(hypotheses count: Int, on device: Device) throws {
        guard count > hypotheses else { return }
        // The old memory goes first: both together might not fit.
        buffer = nil
        scratch = nil
        buffer = try device.makeBuffer(
            byteCount: byteCount(hypotheses: count), purpose: purpose, label: purpose.rawValue,
            isCleared: purpose != .selfKV)
        hypotheses = count
    }

    /// Gives a cache that could not make room for more hypotheses its memory again, empty.
    func restore(on device: Device) throws {
        if buffer == nil { try allocate(on: device) }
    }

    private func rows(layer: Int) -> Tensor {
        guard let buffer else { preconditionFailure("the cache is not allocated") }
        let rows = hypotheses * capacity
        return Tensor(
            buffer: buffer, byteOffset: rows * bytesBefore(layer), rows: rows, columns: 2 * width(layer),
            format: format)
    }

    /// Keys and values of one hypothesis side by side, `[capacity, 2 · width]`.
    package func keysAndValues(layer: Int, hypothesis: Int = 0) -> Tensor {
        rows(layer: layer).rows(hypothesis * capacity..<(hypothesis + 1) * capacity)
    }

    /// Keys of all hypotheses, `[hypotheses · capacity, width]`.
    package func keys(layer: Int) -> Tensor { rows(layer: layer).columns(0..<width(layer)) }

    /// Values of all hypotheses, `[hypotheses · capacity, width]`.
    package func values(layer: Int) -> Tensor { rows(layer: layer).columns(width(layer)..<2 * width(layer)) }

    /// Gives every hypothesis the first `positions` rows of the one it continues.
    package func reorder(parents: [Int], positions: Int, on stream: CommandStream) throws {
        let moved = parents.indices.filter { parents[$0] != $0 }
        guard !moved.isEmpty, positions > 0, let buffer else { return }
        let largest = layers.map(rowBytes).max() ?? 0
        if (scratch?.byteCount ?? 0) < moved.count * positions * largest {
            scratch = nil
            scratch = try buffer.device.makeBuffer(
                byteCount: moved.count * capacity * largest, purpose: purpose, label: "\(purpose.rawValue).reorder")
        }
        guard let scratch else { return }
        for layer in layers {
            let (rowBytes, before) = (rowBytes(layer), bytesBefore(layer))
            let span = positions * rowBytes
            func place(_ hypothesis: Int) -> MemoryRange {
                MemoryRange(
                    buffer: buffer, offset: hypotheses * capacity * before + hypothesis * capacity * rowBytes,
                    byteCount: span)
            }
            func kept(_ slot: Int) -> MemoryRange {
                MemoryRange(buffer: scratch, offset: slot * span, byteCount: span)
            }
            for (slot, hypothesis) in moved.enumerated() {
                try stream.copy(from: place(parents[hypothesis]), to: kept(slot))
            }
            for (slot, hypothesis) in moved.enumerated() { try stream.copy(from: kept(slot), to: place(hypothesis)) }
        }
    }
}
