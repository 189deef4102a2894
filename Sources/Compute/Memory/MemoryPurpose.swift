/// Purpose of a piece of device memory. Every allocation names one; the memory panel shows their sums.
package enum MemoryPurpose: String, Sendable, Hashable, CaseIterable, Codable, CodingKeyRepresentable {
    case weightsVision = "weights.vision"
    case weightsProjector = "weights.projector"
    case weightsEncoder = "weights.encoder"
    case weightsDecoder = "weights.decoder"
    /// Keys and values of the decoder's attention to its own tokens; grows with every token.
    case selfKV = "kv.self"
    /// Keys and values of the decoder's attention to the encoder's output; fixed once per input.
    case crossKV = "kv.cross"
    case activations
    /// The ring of captured attention rows that are on their way to the host.
    case capture
    /// Host-visible buffers that carry data to and from the device.
    case staging
    case pipelines
}
