import CAlsa
import CMediaShims
import Foundation
import Synchronization

/// A microphone as a stream of mono samples at one rate, through ALSA (whose default device may be PulseAudio or PipeWire).
///
///     let microphone = try Microphone()
///     for try await chunk in microphone.samples { … }   // 100 ms each
///
/// Recording begins with `init` and ends with `stop()`, with cancellation of the task that reads `samples`, or with the
/// last reference. If nobody reads for a minute the oldest chunks are dropped.
package final class Microphone: Sendable {
    package let deviceName: String
    /// Sample rate of the output, in Hz.
    package let sampleRate: Int
    /// Sample rate and channels of the device; converted if they differ from the output.
    package let deviceRate: Int
    package let deviceChannelCount: Int
    /// Mono samples, full scale ±1, about 100 ms a chunk. Ends after `stop()`; throws `MediaError.captureFailed` when the
    /// device goes away. For one reader.
    package let samples: AsyncThrowingStream<[Float], any Error>

    let stopping: StopFlag

    /// - Throws: `noCaptureDevice` if there is no device, `captureFailed` if the device cannot record.
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

/// A flag that ends the recording; it is set once.
final class StopFlag: Sendable {
    private let flag = Atomic(false)
    func set() { flag.store(true, ordering: .releasing) }
    var isSet: Bool { flag.load(ordering: .acquiring) }
}
