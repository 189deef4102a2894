import Foundation

/// Weight layout for the vector profile: panels of eight rows, interleaved in 16-byte pieces.
///
/// There each lane reads a row of its own. With rows one after another, eight lanes jump to eight places for every piece, too
/// many streams for the processor to read ahead in; in panels they read one stream together. Steps of SmolLM2 in q4_1 became a
/// fifth faster.
extension WeightMatrix {
    package static let panelRows = 8
    static let pieceBytes = 16

    /// Rows per panel on a device.
    package static func panelRows(for properties: DeviceProperties) -> Int {
        KernelProfile(properties) == .vector ? panelRows : 1
    }

    /// Rows that a matrix takes memory for: whole panels on every device, so that plans need no device.
    package static func paddedRows(_ rows: Int) -> Int { divideRoundingUp(rows, panelRows) * panelRows }

    /// Sorts the bytes of a matrix that the host can reach, and whose rows lie one after another with room for
    /// `paddedRows`, into panels, in place and on all cores.
    package func arrangePanels() {
        precondition(rowsBefore == 0, "panels of a view")
        guard rowsPerPanel > 1 else { return }
        guard let contents = buffer.contents else {
            preconditionFailure("panels of \(buffer.label), which the host cannot reach")
        }
        let rowBytes = Self.rowBytes(columns: columns, format: format), panelBytes = rowBytes * rowsPerPanel
        let panels = byteCount / panelBytes
        precondition(
            rowBytes % Self.pieceBytes == 0 && byteOffset + byteCount <= buffer.byteCount, "panels of \(buffer.label)")
        nonisolated(unsafe) let base = contents + byteOffset  // each iteration has panels of its own
        let rows = rowsPerPanel, pieceBytes = Self.pieceBytes, step = rows * pieceBytes
        let pieces = max(1, min(panels, ProcessInfo.processInfo.activeProcessorCount))
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            withUnsafeTemporaryAllocation(byteCount: panelBytes, alignment: 16) { copy in
                guard let from = copy.baseAddress else { return }
                for panel in panels * piece / pieces..<panels * (piece + 1) / pieces {
                    let to = base + panel * panelBytes
                    from.copyMemory(from: to, byteCount: panelBytes)
                    // Plain loops: they are most of what loading costs in a build for debugging.
                    var source = from, row = 0
                    while row < rows {
                        var target = to + row * pieceBytes
                        let end = source + rowBytes
                        while source < end {
                            memcpy(target, source, pieceBytes)
                            source += pieceBytes
                            target += step
                        }
                        row += 1
                    }
                }
            }
        }
    }
}
