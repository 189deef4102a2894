import Compute
import NumberFormats

/// Device memory that a model takes, forecast from the list of buffers that loading allocates from.
///
/// `fovea plan --json` prints it as it is, without the rows of `contexts` and `formats`.
package struct MemoryPlan: Sendable, Hashable, Codable {
    /// Bytes of one purpose, or of one buffer where `label` names it.
    package struct Part: Sendable, Hashable, Codable {
        package var purpose: MemoryPurpose
        package var label: String?
        package var bytes: Int
        /// Number of weights; nil for other purposes.
        package var parameters: Int?

        package init(purpose: MemoryPurpose, label: String? = nil, bytes: Int, parameters: Int? = nil) {
            self.purpose = purpose
            self.label = label
            self.bytes = bytes
            self.parameters = parameters
        }
    }

    /// Cost of one picture.
    package struct Picture: Sendable, Hashable, Codable {
        package var width: Int
        package var height: Int
        package var tiles: Int
        /// Tokens of the context; 0 where cross-attention reads the picture from a cache of its own.
        package var tokens: Int
        /// Bytes of the KV cache that those tokens take.
        package var keyValueBytes: Int

        package init(width: Int, height: Int, tiles: Int, tokens: Int, keyValueBytes: Int) {
            self.width = width
            self.height = height
            self.tiles = tiles
            self.tokens = tokens
            self.keyValueBytes = keyValueBytes
        }
    }

    /// A change with which the model fits.
    package struct Suggestion: Sendable, Hashable, Codable {
        package var weights: ElementFormat?
        package var context: Int?
        package var total: Int
    }

    /// The same plan with another context.
    package struct ContextRow: Sendable, Hashable {
        package var context: Int
        package var cache: Int
        package var total: Int

        package init(context: Int, cache: Int, total: Int) {
            self.context = context
            self.cache = cache
            self.total = total
        }
    }

    /// The same plan with the weights in another format.
    package struct FormatRow: Sendable, Hashable {
        /// Format of the matrices; several, joined by commas, where the file mixes them.
        package var name: String
        package var weights: Int
        package var total: Int

        package init(name: String, weights: Int, total: Int) {
            self.name = name
            self.weights = weights
            self.total = total
        }
    }

    package var path: String
    package var architecture: String
    /// Number of weights.
    package var parameters: Int
    /// Formats of the weight matrices, the most common first.
    package var weightFormats: [ElementFormat]
    /// Positions there is room for.
    package var context: Int?
    package var device: String
    package var deviceMemory: Int
    package var fits: Bool
    /// Bytes of all buffers, those of the pictures included.
    package var total: Int
    /// KV-cache bytes of one token.
    package var bytesPerToken: Int
    /// Format of cached keys and values.
    package var keyValueFormat: ElementFormat
    package var purposes: [Part]
    package var pictures: [Picture]
    /// Bytes of the capture buffers while the attention panel is open; not part of `total`.
    package var watching: Int
    /// Changes that make the model fit; empty when it fits already, or when nothing helps.
    package var suggestions: [Suggestion]
    /// Every buffer.
    package var buffers: [Part]?
    /// Other contexts, ascending, the planned one among them; empty unless asked for.
    package var contexts: [ContextRow] = []
    /// Other weight formats, the planned one among them; empty unless asked for.
    package var formats: [FormatRow] = []

    private enum CodingKeys: CodingKey {
        case path, architecture, parameters, weightFormats, context, device, deviceMemory, fits, total, bytesPerToken
        case keyValueFormat
        case purposes, pictures, watching, suggestions, buffers
    }

    package init(
        path: String, architecture: String, parameters: Int = 0, weightFormats: [ElementFormat] = [],
        context: Int? = nil, device: String = "", deviceMemory: Int, total: Int, bytesPerToken: Int = 0,
        keyValueFormat: ElementFormat = .f32,
        purposes: [Part] = [], pictures: [Picture] = [], watching: Int = 0, suggestions: [Suggestion] = [],
        buffers: [Part]? = nil, contexts: [ContextRow] = [], formats: [FormatRow] = []
    ) {
        self.path = path
        self.architecture = architecture
        self.parameters = parameters
        self.weightFormats = weightFormats
        self.context = context
        self.device = device
        self.deviceMemory = deviceMemory
        fits = total <= deviceMemory
        self.total = total
        self.bytesPerToken = bytesPerToken
        self.keyValueFormat = keyValueFormat
        self.purposes = purposes
        self.pictures = pictures
        self.watching = watching
        self.suggestions = suggestions
        self.buffers = buffers
        self.contexts = contexts
        self.formats = formats
    }

    /// Bytes of all weights.
    package var weightBytes: Int { bytes { $0.rawValue.hasPrefix("weights") } }
    /// Bytes of the KV caches, cross-attention included.
    package var cacheBytes: Int { bytes { $0 == .selfKV || $0 == .crossKV } }
    /// The weight formats as one name.
    package var formatName: String { weightFormats.map(\.rawValue).joined(separator: ", ") }

    private func bytes(where isCounted: (MemoryPurpose) -> Bool) -> Int {
        purposes.reduce(0) { isCounted($1.purpose) ? $0 + $1.bytes : $0 }
    }
}

extension MemoryPlan {
    /// The difference that the format of cached keys and values makes, as measured by `KeyValueFormatTests` on the reference
    /// models; nil for f32, which is exact.
    package var keyValueEffect: String? {
        switch keyValueFormat {
        case .f16: "keys and values in f16: attention weights within 0.01 of f32 caches on the reference models"
        default: nil
        }
    }
}
