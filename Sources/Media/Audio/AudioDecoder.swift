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
        /// libsndfile only estimates the length of an MP3 without a header frame, and reads no further.
        func isShorter(_ frames: Int64, than counted: Int64) -> Bool { counted - 4 * 1152 > frames }
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
        } else if let countedLength, isShorter(header.frames, than: countedLength), !acceptTruncated {
            // An error is better than a silently missing end.
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
        isTruncated = shortfall != nil || countedLength.map { isShorter(header.frames, than: $0) } ?? false
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

    /// Opens a file, its samples as they are where a recorder died before it wrote their size into the header.
    private static func open(_ file: borrowing InputFile) throws(MediaError) -> (OpaquePointer, SF_INFO) {
        let (handle, header) = try open(file, header: SF_INFO())
        guard header.frames == 0, let samples = try AudioContainer.samples(of: file), samples.byteCount == nil,
            samples.offset < file.byteCount, try !isChunk(file, at: samples.offset)
        else { return (handle, header) }
        var raw = header
        raw.format =
            header.format & Int32(SF_FORMAT_SUBMASK) | Int32(SF_FORMAT_RAW)
            | Int32(samples.isBigEndian ? SF_ENDIAN_BIG : SF_ENDIAN_LITTLE)
        guard let (rawHandle, rawHeader) = try? open(file, header: raw) else { return (handle, header) }
        guard rawHeader.frames > 0, rawHeader.frames <= file.byteCount else {
            sf_close(rawHandle)
            return (handle, header)
        }
        sf_close(handle)
        var offset = samples.offset
        sf_command(rawHandle, Int32(SFC_SET_RAW_START_OFFSET), &offset, Int32(MemoryLayout<sf_count_t>.size))
        // The command alone leaves the position at the start of the file.
        sf_seek(rawHandle, 0, Int32(SEEK_SET))
        var found = header
        found.frames = (file.byteCount - offset) / (file.byteCount / rawHeader.frames)
        return (rawHandle, found)
    }

    /// True where a chunk of four letters and a length that fits follows an empty one: then the recording is empty.
    private static func isChunk(_ file: borrowing InputFile, at offset: Int64) throws(MediaError) -> Bool {
        let header = try file.bytes(at: offset, count: 8)
        guard header.count == 8, header.prefix(4).allSatisfy({ (0x20...0x7E).contains($0) }) else { return false }
        let lengths = [Array(header[4...]), header[4...].reversed()].map { $0.reduce(Int64(0)) { $0 << 8 | Int64($1) } }
        return lengths.contains { $0 <= file.byteCount - offset - 8 }
    }

    private static func open(_ file: borrowing InputFile, header: SF_INFO) throws(MediaError) -> (
        OpaquePointer, SF_INFO
    ) {
        // libsndfile closes the descriptor it is given, also when it fails.
        let descriptor = dup(file.descriptor)
        guard descriptor >= 0 else { throw .unreadable(path: file.path, reason: String(cString: strerror(errno))) }
        // The copy shares its position with the original.
        lseek(descriptor, 0, SEEK_SET)
        var header = header
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
        let head = try file.bytes(at: 0, count: 64)
        throw ForeignMedia(head: head).map { .foreign(path: file.path, $0) }
            ?? .notAudio(path: file.path, reason: reason)
    }

    private static func formatName(_ format: Int32) -> String {
        var description = SF_FORMAT_INFO()
        description.format = format & Int32(SF_FORMAT_TYPEMASK)
        let found = sf_command(nil, Int32(SFC_GET_FORMAT_INFO), &description, Int32(MemoryLayout<SF_FORMAT_INFO>.size))
        guard found == 0, let name = description.name else { return "unknown format" }
        return String(cString: name)
    }
}
