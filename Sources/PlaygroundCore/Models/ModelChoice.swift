import ModelStore

/// A model that can be chosen.
package struct ModelChoice: Sendable, Hashable, Codable {
    package var name: String
    package var description: String
    package var installed: Bool
    /// Size of its files, to download or on disk.
    package var bytes: Int
    /// An example input, by the model's authors.
    package var sample: ModelSample?
    /// True for a model that was trained on photographs; nil where that is not known.
    package var readsPhotographs: Bool?

    package init(
        name: String, description: String, installed: Bool, bytes: Int, sample: ModelSample? = nil,
        readsPhotographs: Bool? = nil
    ) {
        self.name = name
        self.description = description
        self.installed = installed
        self.bytes = bytes
        self.sample = sample
        self.readsPhotographs = readsPhotographs
    }
}

/// Device memory that a model of the list would take.
package struct MemoryForecast: Sendable, Hashable, Codable {
    /// Bytes of all buffers.
    package var total: Int
    /// True if the device has that much.
    package var fits: Bool

    package init(total: Int, fits: Bool) {
        self.total = total
        self.fits = fits
    }
}

/// Progress of loading.
package struct LoadProgress: Sendable, Hashable, Codable {
    /// The current step, e.g. "uploading decoder weights".
    package var stage: String
    /// 0…1.
    package var fraction: Double

    package init(stage: String, fraction: Double) {
        self.stage = stage
        self.fraction = fraction
    }
}
