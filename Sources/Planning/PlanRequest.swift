import Compute
import NumberFormats

/// Circumstances to plan a model for.
package struct PlanRequest: Sendable, Hashable {
    /// Name or path of the model.
    package var model: String
    /// Positions; nil leaves the model's default.
    package var context: Int?
    /// Format to convert the weights to; nil leaves them as stored.
    package var weights: ElementFormat?
    /// Pictures that the model is to read.
    package var pictures: [PictureSize]

    package init(
        model: String, context: Int? = nil, weights: ElementFormat? = nil, pictures: [PictureSize] = []
    ) {
        self.model = model
        self.context = context
        self.weights = weights
        self.pictures = pictures
    }
}

/// Memory of the device to plan for.
package struct PlanTarget: Sendable, Hashable {
    package var name: String
    package var memory: Int
    /// True where the host and the device share one memory.
    package var isUnified: Bool

    package init(name: String, memory: Int, isUnified: Bool) {
        self.name = name
        self.memory = memory
        self.isUnified = isUnified
    }

    package init(_ device: DeviceProperties) {
        self.init(name: device.name, memory: device.deviceHeapBytes, isUnified: device.hasUnifiedMemory)
    }
}

/// A plan that cannot be made.
package enum PlanningError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Pictures for a model that reads none.
    case readsNoPictures(architecture: String)
    /// A context that the model cannot have.
    case context(asked: Int, available: Int)

    package var description: String {
        switch self {
        case .readsNoPictures(let architecture): "a “\(architecture)” model reads no pictures; leave the size out"
        case .context(let asked, let available):
            "a context of \(asked) tokens is not possible: this model has \(available)"
        }
    }
}
