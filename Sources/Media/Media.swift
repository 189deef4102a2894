/// Constants of the target.
package enum Media {
    /// The sample rate of speech models, in Hz, and the default of everything in `Audio`.
    package static let speechSampleRate = 16_000
}
