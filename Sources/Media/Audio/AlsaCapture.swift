import CAlsa
import CMediaShims
import Foundation

/// An open ALSA capture device, 16-bit interleaved. Owned by one thread at a time.
final class AlsaCapture {
    let device: String
    let rate: Int
    let channelCount: Int
    private let pcm: OpaquePointer
    private var interleaved: [Int16]

    /// Disables ALSA's messages on standard error, once per process.
    private static let silenced: Int32 = fovea_alsa_silence()
    static func silence() { _ = silenced }

    /// - Throws: `noCaptureDevice`, `captureFailed`.
    init(device: String, preferredRate: Int) throws(MediaError) {
        Self.silence()
        var opened: OpaquePointer?
        // Opened without blocking: a device in use fails immediately.
        let code = snd_pcm_open(&opened, device, SND_PCM_STREAM_CAPTURE, Int32(SND_PCM_NONBLOCK))
        guard code == 0, let opened else { throw Self.openingError(code, device: device) }
        // Most devices (and always "default") convert; raw devices offer only the formats of their hardware.
        var wanted: [(channels: Int, rate: Int)] = [(1, preferredRate)]
        for rate in [48_000, 44_100, 96_000] { wanted += [(1, rate), (2, rate)] }
        var lastCode: Int32 = 0
        for (channels, rate) in wanted {
            lastCode = snd_pcm_set_params(
                opened, SND_PCM_FORMAT_S16, SND_PCM_ACCESS_RW_INTERLEAVED, UInt32(channels), UInt32(rate), 1, 500_000)
            if lastCode == 0 {
                self.device = device
                self.rate = rate
                channelCount = channels
                pcm = opened
                interleaved = [Int16](repeating: 0, count: max(1, rate / 10) * channels)
                return
            }
        }
        snd_pcm_close(opened)
        throw .captureFailed(
            device: device, operation: "setting 16-bit sound at 16, 44.1, 48 or 96 kHz", reason: Self.text(lastCode))
    }

    deinit { snd_pcm_close(pcm) }

    /// Starts a prepared device; a running one continues.
    func start() throws(MediaError) {
        guard snd_pcm_state(pcm) == SND_PCM_STATE_PREPARED else { return }
        let code = snd_pcm_start(pcm)
        guard code == 0 else { throw .captureFailed(device: device, operation: "starting", reason: Self.text(code)) }
    }

    /// The next mono samples, up to 100 ms; empty if none arrive within 200 ms.
    func read() throws(MediaError) -> [Float] {
        let ready = snd_pcm_wait(pcm, 200)
        if ready == 0 { return [] }
        if ready < 0 {
            try recover(ready, operation: "waiting for sound")
            return []
        }
        let frames = interleaved.count / channelCount
        let got = interleaved.withUnsafeMutableBufferPointer {
            snd_pcm_readi(pcm, $0.baseAddress!, snd_pcm_uframes_t(frames))
        }
        if got == -Int(EAGAIN) { return [] }
        if got < 0 {
            try recover(Int32(truncatingIfNeeded: got), operation: "reading")
            return []
        }
        return Self.mono(interleaved[0..<Int(got) * channelCount], channelCount: channelCount)
    }

    /// The mean of the channels, full scale ±1.
    static func mono(_ interleaved: ArraySlice<Int16>, channelCount: Int) -> [Float] {
        let scale = 1 / (32_768 * Float(channelCount))
        return stride(from: interleaved.startIndex, to: interleaved.endIndex, by: channelCount).map { start in
            var sum: Float = 0
            for channel in 0..<channelCount { sum += Float(interleaved[start + channel]) }
            return sum * scale
        }
    }

    /// Continues after an overrun or a suspended machine, with a gap.
    private func recover(_ code: Int32, operation: String) throws(MediaError) {
        let result = snd_pcm_recover(pcm, code, 1)
        guard result == 0 else { throw .captureFailed(device: device, operation: operation, reason: Self.text(result)) }
        try start()
    }

    private static func openingError(_ code: Int32, device: String) -> MediaError {
        switch -code {
        case ENOENT, ENODEV, ENXIO, ENOTTY, ECONNREFUSED, EINVAL, EIO, EHOSTDOWN:
            .noCaptureDevice(device: device, reason: text(code))
        case EBUSY: .captureFailed(device: device, operation: "opening", reason: "another program is using it")
        default: .captureFailed(device: device, operation: "opening", reason: text(code))
        }
    }

    private static func text(_ code: Int32) -> String {
        snd_strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}

/// The thread that waits for the device: blocking calls do not belong on the threads of Swift's tasks.
enum CaptureThread {
    /// The capture moves to the new thread and is used nowhere else.
    private struct Handover: @unchecked Sendable {
        let capture: AlsaCapture
        var resampler: Resampler
    }

    static func run(
        capture: sending AlsaCapture, resampler: Resampler, stopping: StopFlag,
        continuation: AsyncThrowingStream<[Float], any Error>.Continuation
    ) {
        let handover = Handover(capture: capture, resampler: resampler)
        let thread = Thread {
            var resampler = handover.resampler
            do throws(MediaError) {
                try handover.capture.start()
                while !stopping.isSet {
                    let chunk = resampler.process(try handover.capture.read())
                    if !chunk.isEmpty { continuation.yield(chunk) }
                }
                let rest = resampler.finish()
                if !rest.isEmpty { continuation.yield(rest) }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        thread.name = "microphone"
        thread.start()
    }
}
