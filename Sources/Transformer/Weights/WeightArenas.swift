import Compute

/// Where each parameter lies: parameters of one purpose share a few large buffers.
package struct WeightArenas {
    private static let alignment = 256
    /// Keeps one allocation well below what every driver allows at once.
    private static let largestArena = 1 << 30

    struct Arena {
        let purpose: MemoryPurpose
        let label: String
        var byteCount: Int
    }

    private(set) var arenas: [Arena] = []
    let parameters: [Parameter]

    /// Lays the parameters out, in the formats they have been given.
    package init(_ list: ParameterList) {
        parameters = list.parameters
        var open: [MemoryPurpose: Int] = [:]
        for parameter in parameters where parameter.form != .scalar {
            let size = (parameter.byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
            var index = open[parameter.purpose]
            if let current = index, arenas[current].byteCount + size > Self.largestArena { index = nil }
            if index == nil {
                let number = arenas.filter { $0.purpose == parameter.purpose }.count
                arenas.append(
                    Arena(purpose: parameter.purpose, label: "\(parameter.purpose.rawValue)[\(number)]", byteCount: 0))
                index = arenas.count - 1
                open[parameter.purpose] = index
            }
            guard let index else { continue }
            parameter.arenaIndex = index
            parameter.byteOffset = arenas[index].byteCount
            arenas[index].byteCount += size
        }
    }

    /// The buffers these parameters take.
    package var plannedBuffers: [PlannedBuffer] {
        arenas.map { PlannedBuffer(purpose: $0.purpose, label: $0.label, byteCount: $0.byteCount) }
    }
}
