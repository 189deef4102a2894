import CAlsa
import CMediaShims
import Foundation
import Synchronization

/// Live sound as mono samples at one rate, through ALSA (and through ALSA's default device also PulseAudio and PipeWire).
///
///     let microphone = try Microphone()
///     for try await chunk in microphone.samples { … }   // 100 ms each
///
/// Recording begins with `init` and ends with `stop()`, with cancellation of the task that reads `samples`, or with the
/// last reference. If nobody reads for a minute the oldest chunks are dropped.
package final class Microphone: Sendable {
    package let deviceName: String
    /// Hz of the samples given out.
    package let sampleRate: Int
    /// Hz and channels the device records with; converted here where the device cannot do otherwise.
    package let deviceRate: Int
    package let deviceChannelCount: Int
    /// Mono samples, full scale ±1, about 100 ms a chunk. Ends after `stop()`; throws `MediaError.captureFailed` when the
    /// device goes away. For one reader.
    package let samples: AsyncThrowingStream<[Float], any Error>

    let stopping: StopFlag

    /// - Throws: `noCaptureDevice` when there is nothing to record with, `captureFailed` when there is and it refuses.
    package init(device name: String = "default", sampleRate: Int = Media.speechSampleRate) throws(MediaError) {
        let capture = try AlsaCapture(device: name, preferredRate: sampleRate)
        let resampler = try Resampler(from: capture.rate, to: sampleRate)
        deviceName = name
        self.sampleRate = sampleRate
        deviceRate = capture.rate
        deviceChannelCount = capture.channelCount
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: [Float].self, throwing: (any Error).self, bufferingPolicy: .bufferingNewest(600))
        let stopping = StopFlag()
        continuation.onTermination = { _ in stopping.set() }
        samples = stream
        self.stopping = stopping
        CaptureThread.run(capture: capture, resampler: resampler, stopping: stopping, continuation: continuation)
    }

    deinit { stopping.set() }

    /// Ends the recording; chunks already recorded can still be read.
    package func stop() { stopping.set() }
}

/// Set once, by whoever ends the recording.
final class StopFlag: Sendable {
    private let flag = Atomic(false)
    func set() { flag.store(true, ordering: .releasing) }
    var isSet: Bool { flag.load(ordering: .acquiring) }
}
