import CSndfile
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The header of a recording.
package struct AudioFileInfo: Sendable, Hashable, Codable {
    package let path: String
    /// The container, e.g. "WAV (Microsoft)".
    package let format: String
    /// Hz, as recorded.
    package let sampleRate: Int
    package let channelCount: Int
    /// Samples per channel by the header, nil if it does not state them. The decoder may find fewer.
    package let frameCount: Int64?

    package var duration: Double? { frameCount.map { Double($0) / Double(sampleRate) } }
}

/// A decoder that reads a recording block by block as mono samples at one rate: WAV, FLAC, Ogg (Vorbis, Opus), MP3, AIFF, AU,
/// CAF and the other formats of libsndfile. Channels are averaged, and `Resampler` changes the rate.
///
/// Memory is a block's size for any length of recording. Not for use by several tasks at once.
package final class AudioDecoder {
    package let info: AudioFileInfo
    /// Sample rate of the output, in Hz.
    package let sampleRate: Int
    /// True if the file ends before its header says it should (only with `acceptTruncated`).
    package private(set) var isTruncated = false

    /// Size of the file.
    let byteCount: Int64

    private let handle: OpaquePointer
    private let acceptTruncated: Bool
    private var resampler: Resampler
    private var interleaved: [Float]
    private var framesRead: Int64 = 0
    private var finished = false

    /// Frames decoded at a time.
    private static let blockFrames = 16_384
    private static let sampleRates: ClosedRange<Int64> = 1000...768_000
    private static let channelCounts: ClosedRange<Int64> = 1...64

    /// libsndfile keeps the error of a failed open in a global variable.
    private static let opening = Mutex(())

    /// - Parameters:
    ///   - sampleRate: sample rate of the output, in Hz
    ///   - acceptTruncated: decodes the existing part of a truncated file instead of throwing `truncatedAudio`
    /// - Throws: `MediaError` if the file is not a readable recording.
    package init(path: String, sampleRate: Int = Media.speechSampleRate, acceptTruncated: Bool = false)
        throws(MediaError)
    {
        let file = try InputFile(path: path)
        let shortfall = try AudioContainer.shortfall(of: file)
        let countedLength = try AudioContainer.countedMPEGLength(of: file)
        if let shortfall, !acceptTruncated {
            throw .truncatedAudio(
                path: path, expected: shortfall.expected, actual: shortfall.actual, unit: shortfall.unit)
        }
        let (handle, header) = try Self.open(file)
        var failure: MediaError?
        if !Self.sampleRates.contains(Int64(header.samplerate)) {
            failure = .unsupportedAudio(
                path: path, property: "the sample rate (Hz)", value: Int64(header.samplerate),
                supported: Self.sampleRates)
        } else if !Self.channelCounts.contains(Int64(header.channels)) {
            failure = .unsupportedAudio(
                path: path, property: "the number of channels", value: Int64(header.channels),
                supported: Self.channelCounts)
        } else if header.frames == 0, shortfall == nil {
            failure = .noAudioFrames(path: path)
        } else if let countedLength, countedLength > header.frames + 4 * 1152, !acceptTruncated {
            // libsndfile stops at its estimate of the length: an error is better than a silently missing end.
            failure = .damagedAudio(
                path: path,
                reason:
                    "an MP3 of varying bit rate without the header that tells its length: only \(header.frames) of \(countedLength) samples can be read"
            )
        }
        if let failure {
            sf_close(handle)
            throw failure
        }
        let resampler: Resampler
        do {
            resampler = try Resampler(from: Int(header.samplerate), to: sampleRate)
        } catch {
            sf_close(handle)
            throw error
        }
        self.handle = handle
        byteCount = file.byteCount
        self.resampler = resampler
        self.sampleRate = sampleRate
        self.acceptTruncated = acceptTruncated
        isTruncated = shortfall != nil || (countedLength ?? 0) > header.frames + 4 * 1152
        // libsndfile's SF_COUNT_MAX stands for "unknown".
        let frames: Int64? =
            header.frames > 0 && header.frames < Int64.max && countedLength == nil ? header.frames : nil
        info = AudioFileInfo(
            path: path, format: Self.formatName(header.format), sampleRate: Int(header.samplerate),
            channelCount: Int(header.channels), frameCount: frames)
        interleaved = [Float](repeating: 0, count: Self.blockFrames * Int(header.channels))
    }

    deinit { sf_close(handle) }

    /// The next samples, or nil at the end. Never empty.
    /// - Throws: `nonFiniteSample`, `truncatedAudio`, `damagedAudio`.
    package func nextBlock() throws(MediaError) -> [Float]? {
        while !finished {
            let output = try decodeBlock()
            if !output.isEmpty { return output }
        }
        return nil
    }

    private func decodeBlock() throws(MediaError) -> [Float] {
        let channels = info.channelCount
        let got = interleaved.withUnsafeMutableBufferPointer {
            sf_readf_float(handle, $0.baseAddress!, Int64(Self.blockFrames))
        }
        guard got > 0 else {
            try checkEnd()
            finished = true
            return resampler.finish()
        }
        let count = Int(min(got, Int64(Self.blockFrames)))
        var mono = [Float](repeating: 0, count: count)
        let scale = 1 / Float(channels)
        interleaved.withUnsafeBufferPointer { samples in
            mono.withUnsafeMutableBufferPointer { mono in
                for frame in 0..<count {
                    var sum: Float = 0
                    for channel in 0..<channels { sum += samples[frame * channels + channel] * scale }
                    mono[frame] = sum
                }
            }
        }
        if let bad = mono.firstIndex(where: { !$0.isFinite }) {
            throw .nonFiniteSample(path: info.path, frame: framesRead + Int64(bad))
        }
        framesRead += Int64(count)
        return resampler.process(mono)
    }

    private func checkEnd() throws(MediaError) {
        let code = sf_error(handle)
        let missing = info.frameCount.map { framesRead < $0 } ?? false
        guard missing || code != 0 || framesRead == 0 else { return }
        isTruncated = true
        guard !acceptTruncated || framesRead == 0 else { return }
        if missing, let expected = info.frameCount {
            throw .truncatedAudio(path: info.path, expected: expected, actual: framesRead, unit: "frames")
        }
        if code == 0 { throw .noAudioFrames(path: info.path) }
        throw .damagedAudio(path: info.path, reason: String(cString: sf_error_number(code)))
    }

    private static func open(_ file: borrowing InputFile) throws(MediaError) -> (OpaquePointer, SF_INFO) {
        // libsndfile closes the descriptor it is given, also when it fails.
        let descriptor = dup(file.descriptor)
        guard descriptor >= 0 else { throw InputFile.error(errno, path: file.path) }
        var header = SF_INFO()
        var code: Int32 = 0
        var reason = ""
        let handle = opening.withLock { _ in
            let handle = sf_open_fd(descriptor, Int32(SFM_READ), &header, 1)
            if handle == nil {
                code = sf_error(nil)
                reason = String(cString: sf_strerror(nil))
            }
            return handle
        }
        if let handle { return (handle, header) }
        // SF_ERR_MALFORMED_FILE: the format was recognized and its header contradicts itself.
        if code == Int32(SF_ERR_MALFORMED_FILE) { throw .damagedAudio(path: file.path, reason: reason) }
        throw .notAudio(path: file.path, reason: reason)
    }

    private static func formatName(_ format: Int32) -> String {
        var description = SF_FORMAT_INFO()
        description.format = format & Int32(SF_FORMAT_TYPEMASK)
        let found = sf_command(nil, Int32(SFC_GET_FORMAT_INFO), &description, Int32(MemoryLayout<SF_FORMAT_INFO>.size))
        guard found == 0, let name = description.name else { return "unknown format" }
        return String(cString: name)
    }
}
