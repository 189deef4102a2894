import Testing

@testable import Media

@Suite struct VoiceLevelTests {
    @Test func levels() {
        let tone = VoiceLevel(sine(100, rate: 16_000, seconds: 1, amplitude: 1))
        #expect(abs(tone.rms - 0.70711) < 1e-4)
        #expect(abs(tone.decibels + 3.0103) < 1e-2)
        #expect(abs(tone.peak - 1) < 1e-4)
        #expect(!tone.isSilence())
        #expect(VoiceLevel([]).decibels == -120)
        #expect(VoiceLevel([0, 0]).isSilence())
        #expect(VoiceLevel([0.001, -0.001]).isSilence())
        #expect(!VoiceLevel([0.01, -0.01]).isSilence())
    }

    @Test func frames() {
        let levels = VoiceLevel.frames(of: [1, -1, 0, 0, 0.5], frameLength: 2)
        #expect(levels.map(\.rms) == [1, 0, 0.5])
        #expect(levels.map(\.peak) == [1, 0, 0.5])
        #expect(VoiceLevel.frames(of: [], frameLength: 3).isEmpty)
    }
}
