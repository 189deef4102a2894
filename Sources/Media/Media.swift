/// # Media
///
/// What a person attaches, turned into the numbers a model reads.
///
/// - `Audio/`: files (`AudioDecoder`, `AudioFile`) and the live `Microphone` become mono 16 kHz samples through
///   `Resampler`; `LogMelSpectrogram` turns samples into Whisper's features; `VoiceLevel` feeds a meter.
/// - `Image/`: `ImageFile` decodes JPEG, PNG and WebP to `RGBImage`; `ImageResize` resizes with Pillow's arithmetic; the
///   processors give `pixel_values` and say which rectangle of the original each patch covers.
///
/// Nothing here knows a model, a device or a screen. Every failure is a `MediaError`; nothing a file contains can
/// crash the program or make it allocate more than the file's size and the stated limits justify.
package enum Media {
    /// The sample rate (Hz) speech models listen at, and the default of everything in `Audio/`.
    package static let speechSampleRate = 16_000
}
