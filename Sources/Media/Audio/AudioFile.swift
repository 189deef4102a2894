/// A recording in memory: mono samples at one rate.
package struct Recording: Sendable, Hashable, Codable {
    /// Full scale is ±1.
    package let samples: [Float]
    /// Hz.
    package let sampleRate: Int
    /// The file it was read from; nil for a microphone.
    package let source: AudioFileInfo?
    /// True if the file ends before its header says it should.
    package let isTruncated: Bool

    package init(
        samples: [Float], sampleRate: Int = Media.speechSampleRate, source: AudioFileInfo? = nil,
        isTruncated: Bool = false
    ) {
        self.samples = samples
        self.sampleRate = sampleRate
        self.source = source
        self.isTruncated = isTruncated
    }

    /// Seconds.
    package var duration: Double { sampleRate > 0 ? Double(samples.count) / Double(sampleRate) : 0 }
}

/// Whole recordings from files.
package enum AudioFile {
    /// Six hours: 1.4 GB of samples at 16 kHz.
    package static let defaultMaximumSeconds = 21_600.0

    /// The header, without decoding.
    package static func info(path: String) throws(MediaError) -> AudioFileInfo {
        try AudioDecoder(path: path, acceptTruncated: true).info
    }

    /// Decodes, mixes to mono and resamples a whole file. Memory beyond the samples is one block.
    /// - Parameters:
    ///   - maximumSeconds: bound on the duration; a few kilobytes of FLAC can expand to days of silence
    ///   - acceptTruncated: accepts the existing part of a truncated file, and sets `Recording.isTruncated`
    /// - Throws: `MediaError`.
    package static func load(
        path: String, sampleRate: Int = Media.speechSampleRate, maximumSeconds: Double = defaultMaximumSeconds,
        acceptTruncated: Bool = false
    ) throws(MediaError) -> Recording {
        let decoder = try AudioDecoder(path: path, sampleRate: sampleRate, acceptTruncated: acceptTruncated)
        let limit = Int(max(0, min(maximumSeconds * Double(sampleRate), 1e15)))
        if let duration = decoder.info.duration, duration > maximumSeconds {
            throw .recordingTooLong(path: path, seconds: duration, limit: maximumSeconds)
        }
        var samples: [Float] = []
        // One allocation of the right size. The header's count is untrusted, so it is bounded by the size of the file: 64
        // samples per byte are far more than compressed quiet speech has.
        let claimed = (decoder.info.duration ?? 0) * Double(sampleRate)
        samples.reserveCapacity(Int(min(claimed + 64, Double(decoder.byteCount) * 64, Double(limit))))
        while let block = try decoder.nextBlock() {
            guard samples.count + block.count <= limit else {
                let seconds = Double(samples.count + block.count) / Double(sampleRate)
                throw .recordingTooLong(path: path, seconds: seconds, limit: maximumSeconds)
            }
            samples.append(contentsOf: block)
        }
        return Recording(
            samples: samples, sampleRate: sampleRate, source: decoder.info, isTruncated: decoder.isTruncated)
    }
}
