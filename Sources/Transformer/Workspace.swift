import Compute
import NumberFormats

/// A place for intermediate values: declared with its largest shape, backed by memory at load.
package final class Slot {
    package let label: String
    package let rows: Int
    package let columns: Int
    fileprivate let byteOffset: Int
    fileprivate var buffer: Buffer?

    fileprivate init(label: String, rows: Int, columns: Int, byteOffset: Int) {
        self.label = label
        self.rows = rows
        self.columns = columns
        self.byteOffset = byteOffset
    }

    /// The whole place as an f32 tensor. The workspace must be allocated.
    package var tensor: Tensor {
        guard let buffer else { preconditionFailure("workspace slot \(label) is not allocated") }
        return Tensor(buffer: buffer, byteOffset: byteOffset, rows: rows, columns: columns)
    }

    /// Rows of fewer columns than the place has, without gaps between them.
    func packed(_ count: Int, columns: Int) -> Tensor {
        precondition(count * columns <= rows * self.columns, "\(count) × \(columns) values do not fit \(label)")
        let place = tensor
        return Tensor(buffer: place.buffer, byteOffset: place.byteOffset, rows: count, columns: columns)
    }

    /// The first rows of the place.
    package func rows(_ count: Int) -> Tensor { tensor.rows(0..<count) }
}

/// Memory for activations. Phases that never run at the same time (encoder, decoder) share the same bytes.
package final class Workspace {
    private static let alignment = 256
    private var slots: [Slot] = []
    private var usedByPhase: [String: Int] = [:]
    private var buffer: Buffer?
    private let name: String

    /// - Parameter name: of the memory, in plans and in the ledger.
    package init(name: String = "workspace") { self.name = name }

    /// Declares a place of `[rows, columns]` f32 values in a phase.
    package func reserve(_ label: String, rows: Int, columns: Int, phase: String) -> Slot {
        precondition(buffer == nil, "the workspace is already allocated")
        let offset = usedByPhase[phase, default: 0]
        let bytes = (rows * columns * 4 + Self.alignment - 1) / Self.alignment * Self.alignment
        usedByPhase[phase] = offset + bytes
        let slot = Slot(label: label, rows: rows, columns: columns, byteOffset: offset)
        slots.append(slot)
        return slot
    }

    package var byteCount: Int { usedByPhase.values.max() ?? 0 }
    package var plannedBuffer: PlannedBuffer {
        PlannedBuffer(purpose: .activations, label: name, byteCount: byteCount)
    }

    package func allocate(on device: Device) throws {
        let buffer = try device.makeBuffer(byteCount: byteCount, purpose: .activations, label: name)
        self.buffer = buffer
        for slot in slots { slot.buffer = buffer }
    }

    /// Lets go of the memory.
    package func release() {
        buffer = nil
        for slot in slots { slot.buffer = nil }
    }
}
