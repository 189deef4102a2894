import Media
import Models

extension LogMelSpectrogram {
    /// The spectrogram that a speech model reads, with the mel filters of its file where there are any.
    package init(_ reader: any SoundReader, from files: ModelFiles) throws {
        try self.init(.init(melCount: reader.soundGeometry.mels), melFilters: files.checkpoint.whisper?.melFilters)
    }
}
