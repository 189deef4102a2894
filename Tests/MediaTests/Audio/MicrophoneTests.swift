import Foundation
import Synchronization
import Testing

@testable import Media

@Suite struct MicrophoneTests {
    static let hasSoundCard = FileManager.default.fileExists(atPath: "/dev/snd")

    @Test("no sound card: a typed error", .disabled(if: hasSoundCard, "this machine has a sound card"))
    func absent() {
        #expect {
            try Microphone()
        } throws: { error in
            guard case MediaError.noCaptureDevice(device: "default", _) = error else { return false }
            return true
        }
    }

    @Test("16-bit frames become the mean of their channels")
    func mixing() {
        #expect(AlsaCapture.mono([0, 16_384, -32_768], channelCount: 1) == [0, 0.5, -1])
        #expect(AlsaCapture.mono([9, 16_384, 0, -32_768, -32_768][1...], channelCount: 2) == [0.25, -1])
        #expect(AlsaCapture.mono([], channelCount: 2).isEmpty)
    }

    @Test("a device nobody has")
    func unknown() {
        #expect {
            try Microphone(device: "no-such-device")
        } throws: { error in
            guard case MediaError.noCaptureDevice(device: "no-such-device", _) = error else { return false }
            return true
        }
    }

    @Test("ALSA's null device gives silence until stopped", arguments: [16_000, 11_025])
    func null(rate: Int) async throws {
        let microphone = try Microphone(device: "null", sampleRate: rate)
        var count = 0
        for try await chunk in microphone.samples {
            #expect(chunk.allSatisfy { $0 == 0 })
            count += chunk.count
            if count > rate / 2 { microphone.stop() }
        }
        #expect(count > rate / 2)
    }

    @Test("giving up the task ends the recording")
    func cancelled() async throws {
        let microphone = try Microphone(device: "null")
        let chunks = Atomic(0)
        let task = Task {
            for try await _ in microphone.samples { chunks.add(1, ordering: .relaxed) }
        }
        while chunks.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(!microphone.stopping.isSet)
        task.cancel()
        // Nobody stopped the microphone: only the cancellation ends the loop, and the capture thread with it.
        try await task.value
        #expect(microphone.stopping.isSet)
    }

    @Test("ALSA writes nothing to standard error")
    func quiet() throws {
        // In a process of its own standard error could be watched whole; here it is enough that the handler is ours.
        _ = try? Microphone(device: "no-such-device")
        let pipe = Pipe()
        let saved = dup(2)
        dup2(pipe.fileHandleForWriting.fileDescriptor, 2)
        _ = try? Microphone(device: "hw:97,3")
        dup2(saved, 2)
        close(saved)
        try pipe.fileHandleForWriting.close()
        let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        #expect(!text.contains("ALSA lib"), "\(text)")
    }
}
