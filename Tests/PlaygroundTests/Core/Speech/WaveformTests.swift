import Foundation
import Media
import Terminal
import TestSupport
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Sounds in the chat")
struct WaveformTests {
    /// Two seconds that grow louder, a pause, and a bang.
    private static let waveform = Waveform(
        samples: (0..<48_000).map { index in
            let loud: Float = index < 32_000 ? Float(index) / 64_000 : index < 40_000 ? 0 : 0.8
            return index % 2 == 0 ? loud : -loud
        }, sampleRate: 16_000)

    @Test("the loudest of each stretch, against the loudest of all") func levels() {
        let waveform = Self.waveform
        #expect(waveform.seconds == 3 && waveform.levels.count == 96)
        #expect(waveform.levels.max() == 1 && waveform.levels[95] == 1)
        #expect(
            zip(waveform.levels[0..<63], waveform.levels[1..<64]).allSatisfy { $0 < $1 }
                && waveform.levels[64..<80].allSatisfy { $0 == 0 })
        #expect(Waveform(samples: [], sampleRate: 16_000) == Waveform(seconds: 0, levels: []))
        #expect(Waveform(samples: [0, 0, .nan], sampleRate: 16_000).levels == [0, 0, 0])
    }

    @Test("it stands under the file's name, whatever the width", arguments: ViewTests.sizes) func view(
        width: Int, height: Int
    ) throws {
        var scene = Scene(width, height)
        scene.loadModel()
        scene.answer()
        #expect(scene.effects.contains(.loadWaveform("/tmp/jfk.wav")))
        scene.send(.waveformLoaded("/tmp/jfk.wav", Self.waveform))
        try expectSnapshot(scene.canvas, "waveform-\(width)x\(height)")
        #expect(scene.text.contains("jfk.wav 3.0 s") && scene.text.contains("▁▁"))
        for narrow in [40, 45, 72] {
            scene.send(.input(.resized(Size(narrow, 20))))
            #expect(scene.canvas.size == Size(narrow, 20))
        }
        scene.send(.waveformLoaded("another.wav", Waveform(seconds: 9, levels: [1])))
        #expect(scene.state.chat.messages.compactMap(\.waveform) == [Self.waveform])
    }

    @Test("a kept conversation shows it again") func resumed() {
        var scene = Scene(120, 40)
        scene.loadModel()
        let effects = scene.send(
            .conversationOpened([
                StoredMessage(
                    position: 0, author: "person", text: "", audioPath: "/tmp/a.wav", date: Scene.date,
                    progress: "finished")
            ]))
        #expect(effects == [.loadWaveform("/tmp/a.wav")])
    }

    @Test("a file is read, and one that is none is an error") func reading() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString).wav").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let samples = (0..<16_000).flatMap { index in
            let sample = UInt16(bitPattern: index < 8000 ? 0 : index % 2 == 0 ? 8000 : -8000)
            return [UInt8(truncatingIfNeeded: sample), UInt8(truncatingIfNeeded: sample >> 8)]
        }
        try Data(wavBytes(samples: samples)).write(to: URL(filePath: path))
        let waveform = try MediaFiles.waveform(path: path)
        #expect(
            waveform.seconds == 1 && waveform.levels.prefix(40).allSatisfy { $0 < 0.05 }
                && waveform.levels.suffix(40).allSatisfy { $0 > 0.9 })
        #expect(throws: MediaError.self) { try MediaFiles.waveform(path: path + ".none") }
    }

    @Test("a recorded session shows it when it is played") func recorded() throws {
        let event = Event.waveformLoaded("a.wav", Waveform(seconds: 1.5, levels: [0, 0.5, 1]))
        let written = try JSONEncoder().encode(try #require(event.recorded))
        guard case .waveformLoaded("a.wav", let waveform) = try JSONDecoder().decode(Event.self, from: written)
        else { Issue.record("another event"); return }
        #expect(waveform == Waveform(seconds: 1.5, levels: [0, 0.5, 1]))
    }
}
