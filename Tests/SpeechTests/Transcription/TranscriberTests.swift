import Generation
import AttentionAnalysis
import NumberFormats
import TestSupport
import Testing

@testable import Speech

@Suite struct TranscriberTests {
    private let t = ToyTokenizer()
    private typealias Attempt = ScriptedSpeech.Attempt

    /// hello, world, how, are, you
    private func text(_ words: Int...) -> [Int] { words }

    private func recording(_ seconds: Double) throws -> MelRecording {
        let frames = Int(seconds * 100)
        return try MelRecording(
            mels: 2, frames: frames, values: (0..<2 * frames).map { Float($0 % 7) + 1 }, duration: seconds)
    }

    private func run(
        _ model: ScriptedSpeech, seconds: Double, cancelAfter: Int = .max,
        _ set: (inout TranscriptionOptions) -> Void = { _ in }
    ) throws -> (transcript: Transcript, log: [String], events: [GenerationEvent]) {
        var options = TranscriptionOptions()
        options.language = model.tokenizer.isMultilingual ? "en" : nil
        options.seed = 1
        set(&options)
        var events: [GenerationEvent] = [], asked = 0
        let transcript = try Transcriber(model: model, tokenizer: model.tokenizer, options: options).run(
            recording(seconds),
            isCancelled: {
                asked += 1; return asked > cancelAfter
            }, emit: { events.append($0) })
        let log = events.map { event -> String in
            switch event {
            case .inputPrepared(.audio(let window)):
                "window \(window.index) at \(window.start) \(window.language ?? "?")"
            case .inputPrepared: "no sound"
            case .encoded: "encoded"
            case .token(let token):
                "\(token.index):\(token.isSpecial ? token.timestamp.map { "<\($0)>" } ?? token.piece : token.text)"
            case .discarded(let keeping, _): "discarded to \(keeping)"
            case .contextShortened(let count): "\(count) messages left out"
            case .deviceReopened(let name): "\(name) opened again"
            case .segment(let segment): "segment \(segment.index) \(segment.start)-\(segment.end)\(segment.text)"
            case .finished(let summary): "finished \(summary.reason.rawValue)"
            }
        }
        return (transcript, log, events)
    }

    @Test func sentencesAreCutAndTheUnfinishedOneIsHeardAgain() throws {
        let model = ScriptedSpeech([
            [Attempt(tokens: [t.at(0), 0, 1, t.at(2), t.at(2), 2, 3, t.at(4.5), t.at(4.5), 4])],
            [Attempt(tokens: [t.at(0.5), 4, 5, t.at(1.5)])],
        ])
        let result = try run(model, seconds: 34)
        #expect(
            result.log == [
                "window 0 at 0.0 en", "encoded", "0:<0.0>", "1: hello", "2: world", "3:<2.0>", "4:<2.0>", "5: how",
                "6: are", "7:<4.5>", "8:<4.5>", "9: you",
                "discarded to 8", "segment 0 0.0-2.0 hello world", "segment 1 2.0-4.5 how are",
                "window 1 at 4.5 en", "encoded", "8:<5.0>", "9: you", "10:.", "11:<6.0>", "segment 2 4.5-6.0 you.",
                "finished endOfText",
            ])
        #expect(result.transcript.text == " hello world how are you." && result.transcript.duration == 34)
        // The second window is shown what the first kept, and its frames follow the seek.
        #expect(
            model.prompts[1] == [t.startOfPrevious!, t.at(0), 0, 1, t.at(2), t.at(2), 2, 3, t.at(4.5)]
                + model.prompts[0])
        #expect(model.windows[1].logMel[0] == Float(450 % 7) + 1 && model.windows[1].duration == 29.5)
        #expect(model.windows[1].logMel[2999] == 0, "zeros behind the sound")
    }

    @Test func attentionAndAlternativesComeWithTheToken() throws {
        let model = ScriptedSpeech([[Attempt(tokens: [t.at(0), 0, t.at(1)])]])
        let tokens = try run(model, seconds: 5).events.compactMap {
            if case .token(let token) = $0 { token } else { nil }
        }
        #expect(tokens.count == 3)
        for (index, token) in tokens.enumerated() {
            #expect(token.alternatives.first?.id == token.id && token.alternatives.count == 5)
            #expect(token.attention.count == 1 && token.attention[0].queries == 1)
            // The first token was written by the prompt's row (which looks at 7), the next by the row of the token before it.
            let row = token.attention[0].row(head: 1, query: 0)
            #expect(row.firstIndex(of: row.max()!)! - row.startIndex == (index == 0 ? 7 : index))
        }
    }

    @Test func repetitionFallsBackToAnotherTemperature() throws {
        let babble = [t.at(0)] + [Int](repeating: 9, count: 60) + [t.at(5)]
        let model = ScriptedSpeech([
            [Attempt(tokens: babble), Attempt(tokens: [t.at(0), 0, t.at(3)])],
            [Attempt(tokens: [t.at(0), 1, t.at(3)])],
        ])
        let result = try run(model, seconds: 31) { $0.temperatures = [0, 0.6] }
        #expect(result.log.filter { $0.hasPrefix("discarded") } == ["discarded to 0"])
        let first = try #require(result.transcript.segments.first)
        #expect(first.temperature == 0.6 && first.text == " hello" && first.compressionRatio < 2.4)
        #expect(result.log.contains("1: hello"), "counting starts again after the discard")
        #expect(
            model.prompts[2] == model.prompts[0], "a text found at a high temperature is not shown to the next window")
        guard
            case .discarded(_, let reason)? = result.events.first(where: {
                if case .discarded = $0 { true } else { false }
            })
        else { return }
        #expect(reason.contains("compression ratio") && reason.contains("0.6"))
    }

    @Test func theLastTemperatureStandsAndImprobableTextFallsBack() throws {
        let model = ScriptedSpeech([[Attempt(tokens: [t.at(0), 0, t.at(3)], sharpness: 8)]])
        let result = try run(model, seconds: 5) {
            $0.temperatures = [0, 0]; $0.logProbabilityThreshold = -0.1
        }
        #expect(result.log.filter { $0.hasPrefix("discarded to 0") }.count == 1)
        #expect(result.transcript.segments.allSatisfy { $0.averageLogProbability < -0.1 })
        #expect(result.transcript.text == " hello")
    }

    @Test("where no temperature passes, the likeliest text stands")
    func theBestAttemptStands() throws {
        let model = ScriptedSpeech([
            [
                Attempt(tokens: [t.at(0), 0, t.at(3)], sharpness: 8),
                Attempt(tokens: [t.at(0), 1, t.at(3)], sharpness: 6),
            ]
        ])
        let result = try run(model, seconds: 5) {
            $0.temperatures = [0, 0]; $0.logProbabilityThreshold = -0.01
        }
        #expect(result.transcript.text == " hello")
        #expect(result.log.filter { $0 == "discarded to 0" }.count == 2)
        #expect(result.log.filter { $0 == "1: hello" }.count == 2 && result.log.contains("1: world"))
    }

    @Test("no time lies behind the end of the recording")
    func timesEndWithTheRecording() throws {
        let model = ScriptedSpeech([[Attempt(tokens: [t.at(0), 0, t.at(3)])]])
        let result = try run(model, seconds: 1.1)
        #expect(result.transcript.segments.map(\.end) == [1.1])
    }

    @Test func silentWindowsAreSkipped() throws {
        let model = ScriptedSpeech([
            [Attempt(tokens: [t.at(0), 0, t.at(3)], sharpness: 8, noSpeech: 0.9)],
            [Attempt(tokens: [t.at(0), 1, t.at(3)], noSpeech: 0.9)],
        ])
        let result = try run(model, seconds: 40) { $0.logProbabilityThreshold = -0.1 }
        #expect(model.prompts.count == 2, "silence is no reason to fall back")
        #expect(result.log.contains("discarded to 0"))
        #expect(result.transcript.segments.map(\.text) == [" world"], "sure text counts for more than <|nospeech|>")
        #expect(abs(result.transcript.segments[0].noSpeechProbability - 0.9) < 1e-3)
        #expect(result.transcript.segments[0].start == 30)
    }

    @Test func theLanguageIsDetectedAndShown() throws {
        let model = ScriptedSpeech([[Attempt(tokens: [t.at(0), 0, t.at(3)])]])
        let result = try run(model, seconds: 5) { $0.language = nil }
        #expect(result.log.prefix(3) == ["window 0 at 0.0 ?", "encoded", "window 0 at 0.0 fr"])
        #expect(result.transcript.language == "fr" && result.transcript.languageProbability! > 0.9)
        #expect(model.prompts[0][1] == t.languages[1].token)
    }

    @Test func promptsCanBeGivenCarriedOrLeftOut() throws {
        func prompts(_ set: (inout TranscriptionOptions) -> Void) throws -> [[Int]] {
            let model = ScriptedSpeech([
                [Attempt(tokens: [t.at(0), 0, t.at(3)])], [Attempt(tokens: [t.at(0), 1, t.at(3)])],
            ])
            _ = try run(model, seconds: 40, set)
            return model.prompts
        }
        let kept = try prompts { $0.initialPrompt = "you" }
        #expect(
            kept[0].prefix(2) == [t.startOfPrevious!, 4] && kept[1].prefix(4) == [t.startOfPrevious!, 4, t.at(0), 0])
        let carried = try prompts {
            $0.initialPrompt = "you"; $0.carriesInitialPrompt = true; $0.conditionsOnPreviousText = false
        }
        #expect(carried[1] == carried[0])
        let alone = try prompts { $0.conditionsOnPreviousText = false }
        #expect(alone[1] == alone[0] && alone[0].count == 3)
    }

    @Test func beamsAndSamplesAreShownWhenDecided() throws {
        let script = [[Attempt(tokens: [t.at(0), 0, 1, t.at(3)])]]
        for set: (inout TranscriptionOptions) -> Void in [
            { $0.beamSize = 3 },
            {
                $0.temperatures = [0.5]; $0.bestOf = 4
            },
        ] {
            let result = try run(ScriptedSpeech(script), seconds: 5, set)
            #expect(result.transcript.text == " hello world")
            #expect(result.log.filter { $0.hasSuffix(" hello") }.count == 1)
        }
        #expect(throws: GenerationError.self) { try run(ScriptedSpeech(script), seconds: 5) { $0.beamSize = 6 } }
    }

    @Test func charactersOfSeveralTokensArriveWhole() throws {
        let half = ToyTokenizer.words.count
        let result = try run(ScriptedSpeech([[Attempt(tokens: [t.at(0), 0, half, half + 1, t.at(1)])]]), seconds: 5)
        #expect(result.log.contains("2:") && result.log.contains("3:é"))
        #expect(result.transcript.text == " helloé")
    }

    @Test func cancellingKeepsFinishedWindows() throws {
        let script = [[Attempt(tokens: [t.at(0), 0, t.at(3)])], [Attempt(tokens: [t.at(0), 1, 2, 3, 4, t.at(3)])]]
        let result = try run(ScriptedSpeech(script), seconds: 60, cancelAfter: 7)
        #expect(result.log.last == "finished cancelled" && result.transcript.segments.count == 1)
        let at = try run(ScriptedSpeech(script), seconds: 60, cancelAfter: 0)
        #expect(at.log == ["finished cancelled"])
        struct Stop: Error {}
        #expect(throws: Stop.self) {
            try Transcriber(model: ScriptedSpeech(script), tokenizer: t).run(recording(5), isCancelled: { false }) {
                _ in throw Stop()
            }
        }
    }

    @Test func wordsGetTheirTimes() throws {
        let model = ScriptedSpeech([
            [
                Attempt(tokens: [t.at(0), 0, 10, 1, 5, t.at(6)], positions: [0, 50, 75, 150, 200])
            ]
        ])
        let result = try run(model, seconds: 10) { $0.words = true }
        let words = try #require(result.transcript.segments.first?.words)
        #expect(words.map(\.text) == [" helloing", " world."])
        #expect(words.allSatisfy { $0.probability > 0.5 && $0.end > $0.start })
        // The path changes rows half way between their ridges: 50 to 75, and 75 to 150 positions of 20 ms. The full stop
        // joins its word but, as published, does not lengthen it.
        #expect(abs(words[1].start - 1.25) < 0.05 && abs(words[1].end - 2.25) < 0.05, "\(words)")
        #expect(
            result.transcript.segments[0].start == words[0].start && result.transcript.segments[0].end == words[1].end)
        #expect(
            model.prompts[1] == [
                t.startOfTranscript, t.languages[0].token, t.transcribe!, t.noTimestamps!, 0, 10, 1, 5, t.endOfText,
            ])
    }

    @Test func emptySegmentsAreLeftOut() throws {
        let model = ScriptedSpeech([[Attempt(tokens: [t.at(0), 11, t.at(1), t.at(1), 0, t.at(2)])]])
        let result = try run(model, seconds: 5) { $0.suppressedTokens = [] }
        #expect(result.transcript.segments.map(\.text) == [" hello"] && result.transcript.segments[0].index == 0)
    }

    @Test func nothingToHearIsNothingSaid() throws {
        let result = try run(ScriptedSpeech([]), seconds: 0)
        #expect(result.log == ["finished endOfText"] && result.transcript.segments.isEmpty)
    }

    @Test func badRequestsAreRefused() throws {
        let model = ScriptedSpeech([])
        let english = ToyTokenizer(isMultilingual: false)
        func options(_ set: (inout TranscriptionOptions) -> Void) -> TranscriptionOptions {
            var options = TranscriptionOptions()
            set(&options)
            return options
        }
        #expect(throws: GenerationError.unknownLanguage("xx", known: ["en", "fr"])) {
            try Transcriber(model: model, tokenizer: t, options: options { $0.language = "xx" })
        }
        #expect(throws: GenerationError.monolingual(asked: "translation")) {
            try Transcriber(model: model, tokenizer: english, options: options { $0.task = .translate })
        }
        for set: (inout TranscriptionOptions) -> Void in [
            { $0.temperatures = [] }, { $0.temperatures = [-1] }, { $0.patience = 0 }, { $0.lengthPenalty = 2 },
            { $0.bestOf = 0 },
            { $0.maximumInitialTimestamp = 31 }, { $0.maximumTokensPerWindow = 0 },
        ] {
            #expect(throws: GenerationError.self) { try Transcriber(model: model, tokenizer: t, options: options(set)) }
        }
        #expect(throws: GenerationError.self) { try MelRecording(mels: 80, frames: 10, values: [0], duration: 1) }
        #expect(throws: GenerationError.self) { try MelRecording(mels: 1, frames: 1, values: [0], duration: .nan) }
    }
}

@Suite struct TranscriptionPartsTests {
    private let t = ToyTokenizer()

    @Test func segmentsAreCutAtTimestampPairs() {
        let builder = SegmentBuilder(timestampBegin: t.timestampBegin, framesPerTimestamp: 2)
        let none = builder.cut([0, 1], offset: 10, frames: 500)
        #expect(none.segments.map(\.end) == [15] && none.advance == 500 && none.used == 2)
        let one = builder.cut([t.at(0), 0, t.at(2)], offset: 10, frames: 500)
        #expect(
            one.segments.map(\.start) == [10] && one.segments.map(\.end) == [12] && one.advance == 500
                && one.endsInSilence)
        let closed = builder.cut([t.at(0), 0, t.at(2), t.at(2), 1, t.at(3)], offset: 0, frames: 3000)
        #expect(closed.segments.map(\.end) == [2, 3] && closed.advance == 3000 && closed.used == 6)
        let open = builder.cut([t.at(1), 0, t.at(2), t.at(2.5), 1], offset: 0, frames: 3000)
        #expect(open.segments.map(\.start) == [1] && open.advance == 200 && open.used == 3 && !open.endsInSilence)
        #expect(builder.cut([], offset: 0, frames: 100).segments.map(\.tokens) == [[]])
    }

    @Test func wordsSplitAtSpacesOrCharacters() {
        let half = ToyTokenizer.words.count
        let tokens = [0, 10, 5, 7, 1, 8, half, half + 1, t.endOfText]
        let spaced = WordSplitter(tokenizer: t, language: "en").words(tokens)
        #expect(spaced.map(\.text).dropLast() == [" helloing", ".", " \"", " world", "\"é"])
        #expect(spaced.map(\.tokens) == [[0, 10], [5], [7], [1], [8, half, half + 1], [t.endOfText]])
        let every = WordSplitter(tokenizer: t, language: "ja").words(tokens)
        #expect(every.map(\.tokens) == [[0], [10], [5], [7], [1], [8], [half, half + 1], [t.endOfText]])
        #expect(
            WordSplitter(tokenizer: t, language: "en").words([0, half]).flatMap(\.tokens) == [0, half],
            "a broken end loses no token")
    }

    @Test func charactersAreNeverSplit() {
        let text = "aé日🙂\u{301}z"
        var assembler = CharacterAssembler()
        var pieces: [String] = []
        for byte in text.utf8 { pieces.append(assembler.add([byte])) }
        #expect(pieces.joined() == text && !pieces.contains { $0.unicodeScalars.contains("\u{fffd}") })
        var broken = CharacterAssembler()
        #expect(
            broken.add([0xe6, 0x97]) == "" && broken.add([0x41]) == "\u{fffd}A" && broken.add([0xff]) == "\u{fffd}")
    }

    /// Values of Python's `len(b) / len(zlib.compress(b))`.
    @Test func compressionIsThatOfZlib() {
        #expect(abs(CompressionRatio.of("And so, my fellow Americans") - 0.7714286) < 1e-5)
        #expect(abs(CompressionRatio.of(String(repeating: "ha ", count: 60)) - 12.857142) < 1e-4)
        #expect(abs(CompressionRatio.of("été 日本語") - 0.625) < 1e-5)
        #expect(CompressionRatio.of("") == 0)
    }

    @Test func slicesArePadded() throws {
        let recording = try MelRecording(
            mels: 2, frames: 6, values: [1, 2, 3, 4, -5, -5, 11, 12, 13, 14, -6, -6], duration: 0.04)
        #expect(recording.contentFrames == 4)
        func frames(_ seconds: Double) throws -> Int {
            try MelRecording(mels: 1, frames: 2000, values: [Float](repeating: 0, count: 2000), duration: seconds)
                .contentFrames
        }
        #expect(try frames(11.3) == 1130 && frames(11.305) == 1130 && frames(0.07) == 7 && frames(1e300) == 2000)
        #expect(recording.slice(first: 2, count: 2, length: 5, padding: .zeros) == [3, 4, 0, 0, 0, 13, 14, 0, 0, 0])
        #expect(
            recording.slice(first: 2, count: 2, length: 5, padding: .silence) == [3, 4, -5, -5, -6, 13, 14, -6, -6, -6])
    }

    @Test func doubtfulTextAmongSilenceIsLeftOut() {
        func words(_ start: Double, _ end: Double, _ probability: Float) -> [TimedWord] {
            [
                TimedWord(text: " a", start: start, end: end, probability: probability),
                TimedWord(text: " b", start: end, end: end + 0.3, probability: probability),
            ]
        }
        let sure = DraftSegment(start: 1, end: 2, tokens: [0, 1], words: words(1, 1.5, 0.9))
        let doubtful = DraftSegment(start: 10, end: 11, tokens: [2, 3, 4], words: words(10, 10.5, 0.05))
        let skip = HallucinationSkip(threshold: 2, windowStart: 0, frames: 3000, contentDuration: 100, lastSpeech: 0)
        var cut = SegmentBuilder.Cut(segments: [sure, doubtful], advance: 3000, used: 5, endsInSilence: true)
        #expect(!skip.apply(to: &cut))
        #expect(cut.segments.count == 1 && cut.used == 2 && cut.advance == 1000)
        var leading = SegmentBuilder.Cut(segments: [doubtful], advance: 3000, used: 3, endsInSilence: true)
        #expect(skip.apply(to: &leading) && leading.segments.isEmpty && leading.advance == 1000)
        var fine = SegmentBuilder.Cut(segments: [sure], advance: 3000, used: 2, endsInSilence: true)
        #expect(!skip.apply(to: &fine) && fine.segments.count == 1 && fine.advance == 3000)
    }
}
