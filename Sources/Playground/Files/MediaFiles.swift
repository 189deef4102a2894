import Foundation
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

    /// The file that a line begins with, as many of its words as make the path of one; nil if none do.
    static func file(atStartOf line: String) -> FoundFile? {
        var words = line.split(separator: " ", omittingEmptySubsequences: false)
        while !words.isEmpty {
            let path = Completion.unquoted(words.joined(separator: " ")).expandingTilde
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) {
                let kind = isFolder.boolValue ? "a folder" : ForeignMedia(path: path).map { "\($0)" }
                return FoundFile(path: path, kind: kind)
            }
            words.removeLast()
        }
        return nil
    }
}
