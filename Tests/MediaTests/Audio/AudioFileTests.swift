import CSndfile
import Foundation
import TestSupport
import Testing

@testable import Media

@Suite struct AudioFileTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("the fixture recording, sample for sample", .needsLargeFixtures)
    func fixture() throws {
        let recording = try AudioFile.load(path: Fixtures.input("audio.wav"))
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Fixtures.input("audio.wav"))).dropFirst(44)
        let expected = stride(from: bytes.startIndex, to: bytes.endIndex, by: 2).map {
            Float(Int16(truncatingIfNeeded: Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8)) / 32_768
        }
        #expect(recording.samples == expected)
        #expect(recording.source?.sampleRate == 16_000)
        #expect(recording.duration == 11.3)
    }

    @Test(
        "formats, rates and channels",
        arguments: [
            ("a.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44_100, 2, 1e-3),
            ("b.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 48_000, 6, 1e-3),
            ("c.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 8000, 1, 1e-3),
            ("c8.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 11_025, 1, 2e-2),
            ("d.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 44_100, 2, 1e-3),
            ("e.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44_100, 2, 0.1),
            ("f.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48_000, 1, 0.1),
            ("g.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44_100, 2, 0.1),
            ("h.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 22_050, 1, 1e-3),
            ("i.au", SF_FORMAT_AU | SF_FORMAT_ULAW, 8000, 1, 3e-2),
            ("j.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 96_000, 2, 1e-3),
            ("k.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 32_000, 3, 1e-3),
        ] as [(String, Int, Int, Int, Double)])
    func formats(name: String, format: Int, rate: Int, channels: Int, tolerance: Double) throws {
        let tone = sine(440, rate: rate, seconds: 1, amplitude: 0.6)
        // The mean of the channels is 0.6 in the first, 0 in the others, over their number.
        let silent = [Float](repeating: 0, count: tone.count)
        let samples = interleave([tone] + Array(repeating: silent, count: channels - 1))
        let path = folder.path(name)
        try writeSound(samples, channels: channels, rate: rate, format: Int32(format), to: path)
        let recording = try AudioFile.load(path: path)
        #expect(recording.sampleRate == 16_000)
        #expect(recording.source?.sampleRate == rate)
        #expect(recording.source?.channelCount == channels)
        // MP3 pads to whole frames.
        #expect(abs(recording.samples.count - 16_000) < (name.hasSuffix("mp3") ? 2000 : 2))
        let level = amplitude(of: 440, in: recording.samples[4000..<12_000], rate: 16_000)
        #expect(abs(level - 0.6 / Double(channels)) < tolerance, "\(level)")
        #expect(!recording.isTruncated)
    }

    @Test("blocks are bounded and add up")
    func blocks() throws {
        let path = folder.path("long.wav")
        try writeSound(
            sine(300, rate: 44_100, seconds: 10), rate: 44_100, format: Int32(SF_FORMAT_WAV | SF_FORMAT_PCM_16),
            to: path)
        let decoder = try AudioDecoder(path: path)
        var total = 0
        while let block = try decoder.nextBlock() {
            #expect(!block.isEmpty && block.count < 8000)
            total += block.count
        }
        #expect(total == 160_000)
        #expect(try decoder.nextBlock() == nil)
    }

    // MARK: What is not a recording

    private func error(_ path: String) -> MediaError? {
        #expect(throws: MediaError.self) { try AudioFile.load(path: path) }
        do { _ = try AudioFile.load(path: path) } catch { return error }
        return nil
    }

    @Test func absentAndFolder() throws {
        #expect(error(folder.path("nothing.wav")) == .fileNotFound(path: folder.path("nothing.wav")))
        #expect(error(folder.url.path) == .isDirectory(path: folder.url.path))
        #expect(error("/dev/null") == .notRegularFile(path: "/dev/null"))
        #expect(error("a\0b") == .fileNotFound(path: "a\0b"))
        let pipe = folder.path("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(error(pipe) == .notRegularFile(path: pipe))
    }

    @Test func empty() throws {
        let path = try folder.write([] as [UInt8], to: "empty.wav")
        #expect(error(path) == .emptyFile(path: path))
        let header = try folder.write(wavBytes(samples: []), to: "header.wav")
        #expect(error(header) == .noAudioFrames(path: header))
    }

    @Test func notPermitted() throws {
        let path = try folder.write(wavBytes(samples: [0, 0]), to: "secret.wav")
        #expect(chmod(path, 0) == 0)
        defer { chmod(path, 0o600) }
        let result = withoutPrivileges { error(path) }
        #expect(result == .notPermitted(path: path))
    }

    @Test(
        "other files are not audio",
        arguments: [
            Array("just some text, long enough to look like a header of something or other".utf8),
            [UInt8](repeating: 0, count: 5000), Array("RIFF".utf8), Array("RIFF\u{10}\0\0\0WAVE".utf8),
            Array("OggS".utf8), Array("fLaC".utf8),
            (0..<20_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) },
        ])
    func notAudio(bytes: [UInt8]) throws {
        let path = try folder.write(bytes, to: "thing")
        let problem = error(path)
        switch problem {
        case .notAudio, .damagedAudio, .noAudioFrames, .truncatedAudio: break
        default: Issue.record("\(String(describing: problem))")
        }
    }

    @Test func textIsNotAudio() throws {
        let path = try folder.write(Array("hello, this is a note".utf8), to: "notes.txt")
        let problem = error(path)
        guard case .notAudio(path, _) = problem else {
            Issue.record("expected notAudio, not \(String(describing: problem))")
            return
        }
    }

    @Test(
        "a cut-off recording",
        arguments: [
            ("t.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16), ("t.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16),
            ("t.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16), ("t.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS),
            ("t.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III), ("t.au", SF_FORMAT_AU | SF_FORMAT_PCM_16),
            ("little.au", SF_FORMAT_AU | SF_FORMAT_PCM_16 | SF_ENDIAN_LITTLE),
            ("t.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16), ("t.rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_16),
            ("t.svx", SF_FORMAT_SVX | SF_FORMAT_PCM_16),
        ])
    func truncated(name: String, format: Int) throws {
        // Noise, so that no format can squeeze it into the first half.
        var state: UInt32 = 1
        let noise = (0..<48_000).map { _ -> Float in
            state = state &* 1_664_525 &+ 1_013_904_223
            return Float(Int32(bitPattern: state)) / 4_294_967_296
        }
        let path = folder.path(name)
        try writeSound(noise, rate: 16_000, format: Int32(format), to: path)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        let cut = try folder.write(whole.prefix(whole.count * 3 / 5), to: "cut-" + name)
        guard case .truncatedAudio(cut, let expected, let actual, _) = error(cut) else {
            Issue.record("\(name): \(String(describing: error(cut)))")
            return
        }
        #expect(actual < expected)
        let rest = try AudioFile.load(path: cut, acceptTruncated: true)
        #expect(rest.isTruncated)
        #expect(rest.samples.count > 4000 && rest.samples.count < 40_000, "\(rest.samples.count)")
        #expect(!(try AudioFile.load(path: path).isTruncated))
        if format & SF_FORMAT_SUBMASK == SF_FORMAT_PCM_16 {
            let almost = try folder.write(whole.dropLast(2), to: "almost-" + name)
            #expect(try AudioFile.load(path: almost, acceptTruncated: true).isTruncated)
        }
    }

    @Test("an Ogg file cut anywhere, its length unknown, is read as far as it goes or refused")
    func cutOgg() throws {
        let path = folder.path("whole.ogg")
        try writeSound(
            sine(440, rate: 16_000, seconds: 1), rate: 16_000, format: Int32(SF_FORMAT_OGG | SF_FORMAT_VORBIS), to: path
        )
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in stride(from: 60, to: whole.count, by: 61) {
            let cut = try folder.write(whole.prefix(count), to: "cut.ogg")
            do {
                #expect(try AudioFile.load(path: cut, acceptTruncated: true).isTruncated)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    @Test("a recorder that died before it wrote the size of the samples")
    func diedRecorder() throws {
        for (name, format, sizes) in [
            ("t.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, [4, 40]), ("f.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, []),
            ("u.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW, []), ("t.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, []),
            ("t.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, []), ("t.au", SF_FORMAT_AU | SF_FORMAT_PCM_16, [8]),
        ] {
            let path = folder.path(name)
            try writeSound(sine(440, rate: 16_000, seconds: 1), rate: 16_000, format: Int32(format), to: path)
            let whole = try AudioFile.load(path: path)
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            var places = sizes
            if places.isEmpty {
                let mark = Array((name == "t.aiff" ? "SSND" : "data").utf8)
                let at = try #require(bytes.firstRange(of: mark)?.lowerBound)
                places = [at + (name == "t.w64" ? 16 : 4)]
                if name == "t.aiff" {
                    places.append(try #require(bytes.firstRange(of: Array("COMM".utf8))?.lowerBound) + 10)
                }
            }
            for place in places { bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0, 0]) }
            let died = try AudioFile.load(path: try folder.write(bytes, to: "died-" + name))
            // AIFF's chunk begins with eight bytes that are no samples.
            #expect(abs(died.samples.count - whole.samples.count) <= 8, "\(name): \(died.samples.count)")
            let shared = died.samples.suffix(8000), expected = whole.samples.suffix(8000)
            #expect(shared.elementsEqual(expected), "\(name)")
        }
    }

    @Test("an MP3 without a header frame: read whole, or refused where libsndfile would lose its end")
    func headerless() throws {
        let silence = [Float](repeating: 0, count: 32_000), tone = sine(900, rate: 16_000, seconds: 2)
        for (name, samples) in [("even", tone + tone), ("low estimate", silence + tone)] {
            let path = folder.path("h.mp3")
            try writeSound(samples, rate: 16_000, format: Int32(SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III), to: path)
            var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            let mark = try #require(
                (0..<200).first { ["Xing", "Info"].map { Array($0.utf8) }.contains(Array(bytes[$0..<$0 + 4])) })
            for i in mark..<mark + 4 { bytes[i] = 0 }
            let bare = try folder.write(bytes, to: "bare.mp3")
            do {
                let recording = try AudioFile.load(path: bare)
                #expect(recording.source?.frameCount == nil)
                #expect(!recording.isTruncated)
                #expect(recording.duration > 3.9 && recording.duration < 4.3, "\(name): \(recording.duration)")
            } catch {
                guard case .damagedAudio = error else { throw error }
                #expect(try AudioFile.load(path: bare, acceptTruncated: true).isTruncated)
            }
        }
    }

    @Test(
        "a streamed WAV whose size was never filled in is whole",
        arguments: [0xFFFF_FFFF, 0x7FFF_FFFF, 0x7FFF_F000] as [UInt32])
    func streamed(size: UInt32) throws {
        let path = try folder.write(
            wavBytes(samples: [UInt8](repeating: 1, count: 3200), claimedSize: size), to: "s.wav")
        #expect(try AudioFile.load(path: path).samples.count == 1600)
    }

    @Test("absurd headers")
    func absurd() throws {
        let samples = [UInt8](repeating: 0, count: 4096)
        let slow = try folder.write(wavBytes(samples: samples, rate: 1), to: "slow.wav")
        #expect(
            error(slow)
                == .unsupportedAudio(path: slow, property: "the sample rate (Hz)", value: 1, supported: 1000...768_000))
        for bytes in [
            wavBytes(samples: samples, rate: 0), wavBytes(samples: samples, rate: .max),
            wavBytes(samples: samples, channels: 0),
            wavBytes(samples: samples, channels: .max), wavBytes(samples: samples, channels: 200),
            wavBytes(samples: samples, bits: 0),
            wavBytes(samples: samples, bits: 77), wavBytes(samples: samples, formatTag: 0xBEEF),
        ] {
            let path = try folder.write(bytes, to: "absurd.wav")
            #expect(error(path) != nil)
        }
    }

    @Test("samples that are not numbers", arguments: [Float.nan, .infinity, -.infinity])
    func nonFinite(value: Float) throws {
        var samples = [Float](repeating: 0.1, count: 40_000)
        samples[20_001] = value
        let path = try folder.write(wavBytes(samples: floatBytes(samples), formatTag: 3, bits: 32), to: "nan.wav")
        #expect(error(path) == .nonFiniteSample(path: path, frame: 20_001))
    }

    @Test("longer than asked for")
    func tooLong() throws {
        let path = folder.path("long.flac")
        try writeSound(
            [Float](repeating: 0, count: 160_000), rate: 16_000, format: Int32(SF_FORMAT_FLAC | SF_FORMAT_PCM_16),
            to: path)
        #expect(throws: MediaError.recordingTooLong(path: path, seconds: 10, limit: 5)) {
            try AudioFile.load(path: path, maximumSeconds: 5)
        }
    }

    @Test("random damage never crashes")
    func fuzz() throws {
        var generator = SystemRandomNumberGenerator()
        for (name, format) in [
            ("z.wav", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM), ("z.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16),
            ("z.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16),
        ] {
            let path = folder.path(name)
            try writeSound(sine(200, rate: 8000, seconds: 0.3), rate: 8000, format: Int32(format), to: path)
            let good = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
            for _ in 0..<60 {
                var bad = good
                for _ in 0..<4 {
                    bad[Int.random(in: 0..<min(80, bad.count), using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                let damaged = try folder.write(bad, to: "bad-" + name)
                do {
                    let recording = try AudioFile.load(path: damaged)
                    #expect(recording.samples.allSatisfy { $0.isFinite })
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }

    @Test("messages carry the path, cleaned of control characters")
    func messages() {
        let text = MediaError.fileNotFound(path: "a\u{1B}[31mb\nc").description
        #expect(text.contains("a\\u{1b}[31mb c"))
        #expect(!text.unicodeScalars.contains("\u{1B}"))
    }
}
