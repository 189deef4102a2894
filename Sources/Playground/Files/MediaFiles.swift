import Media
import PlaygroundCore

/// Thumbnails and waveforms from files.
enum MediaFiles {
    /// - Throws: `MediaError` with the problem of the file.
    static func thumbnail(path: String) throws(MediaError) -> Thumbnail {
        Thumbnail(try ImageFile.load(path: path.expandingTilde))
    }

    /// - Throws: `MediaError` with the problem of the file.
    static func waveform(path: String) throws(MediaError) -> Waveform {
        let recording = try AudioFile.load(path: path.expandingTilde, acceptTruncated: true)
        return Waveform(samples: recording.samples, sampleRate: recording.sampleRate)
    }
}
