import Compute

/// The places of a model's parameters in device memory, in the formats they have been given: parameters of one purpose
/// share a few large buffers. `ParameterList.layout` is the one that the plan and the loader take.
package struct WeightLayout {
    private static let alignment = 256
    /// Keeps one allocation well below what every driver allows at once.
    private static let largestBuffer = 1 << 30

    /// The place of one parameter.
    struct Place {
        let parameter: Parameter
        /// Index of the buffer; nil for scalars, which take no device memory.
        let buffer: Int?
        let byteOffset: Int
    }

    /// A buffer that parameters of one purpose share.
    struct SharedBuffer {
        let purpose: MemoryPurpose
        let label: String
        var byteCount: Int
    }

    /// In the order of declaration.
    let places: [Place]
    let buffers: [SharedBuffer]

    init(_ list: ParameterList) {
        var places: [Place] = []
        var buffers: [SharedBuffer] = []
        var open: [MemoryPurpose: Int] = [:]
        for parameter in list.parameters {
            if parameter.form == .scalar {
                places.append(Place(parameter: parameter, buffer: nil, byteOffset: 0))
                continue
            }
            let size = (parameter.byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
            let index: Int
            if let current = open[parameter.purpose], buffers[current].byteCount + size <= Self.largestBuffer {
                index = current
            } else {
                index = buffers.count
                let number = buffers.count { $0.purpose == parameter.purpose }
                buffers.append(
                    SharedBuffer(
                        purpose: parameter.purpose, label: "\(parameter.purpose.rawValue)[\(number)]", byteCount: 0))
                open[parameter.purpose] = index
            }
            places.append(Place(parameter: parameter, buffer: index, byteOffset: buffers[index].byteCount))
            buffers[index].byteCount += size
        }
        self.places = places
        self.buffers = buffers
    }

    /// The buffers as they stand in the ledger.
    package var plannedBuffers: [PlannedBuffer] {
        buffers.map { PlannedBuffer(purpose: $0.purpose, label: $0.label, byteCount: $0.byteCount) }
    }
}
