import Checkpoint
import Foundation
import TestSupport
import Testing

/// The commands that listen: what they refuse, before any model is loaded.
@Suite(.serialized) struct SpeechInputTests {
    @Test(
        .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"),
        arguments: ["transcribe", "run", "trace"])
    func filesThatAreNoRecordingsAreRefused(_ command: String) async throws {
        let folder = try TemporaryFolder(), model = Fixtures.model("whisper-80").path
        let cases = [
            (try folder.write("a letter, not a recording", to: "letter.wav"), "is not a recording"),
            (try folder.write("", to: "empty.wav"), "is empty"), (folder.path("absent.wav"), "no such file"),
            (folder.url.path, "is a folder"),
        ]
        for (path, words) in cases {
            let arguments: [String] =
                switch command {
                case "transcribe": ["transcribe", model, path]
                case "run": ["run", model, "--audio", path]
                default: ["trace", model, "--audio", path, "--out", folder.path("out.safetensors")]
                }
            let run = try await Program.run(arguments)
            #expect(run.code == 1)
            #expect(run.output.isEmpty)
            #expect(run.isOneClearLine, "\(run.words)")
            #expect(run.words.contains(words), "\(run.words)")
        }
        #expect(!FileManager.default.fileExists(atPath: folder.path("out.safetensors")))
    }

    @Test(
        .enabled(
            if: Fixtures.available && Machine.recording != nil, "the reference fixtures are not beside the checkout"))
    func aTruncatedModelIsRefused() async throws {
        let folder = try TemporaryFolder(), source = Fixtures.model("whisper-80")
        for name in ["config.json", "generation_config.json", "tokenizer.json"] {
            try FileManager.default.copyItem(at: source.appending(path: name), to: folder.url.appending(path: name))
        }
        let whole = try Data(contentsOf: source.appending(path: "model.safetensors"))
        _ = try folder.write(whole.prefix(whole.count - 1000), to: "model.safetensors")
        let run = try await Program.run("transcribe", folder.url.path, Machine.recording ?? "")
        #expect(run.code == 1)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("ends too early"))
    }

    @Test(
        .enabled(
            if: Fixtures.available && Machine.recording != nil, "the reference fixtures are not beside the checkout"))
    func devicesThatAreNotThereAreSaidSo() async throws {
        let model = Fixtures.model("whisper-80").path, sound = Machine.recording ?? ""
        let none = try await Program.run(
            "transcribe", model, sound, environment: ["VK_DRIVER_FILES": "/dev/null", "VK_ICD_FILENAMES": "/dev/null"])
        #expect(none.code == 1)
        #expect(none.isOneClearLine && none.words.contains("no Vulkan driver was found"))
        let unknown = try await Program.run("transcribe", model, sound, "--device", "no such card")
        #expect(unknown.code == 1)
        #expect(unknown.isOneClearLine && unknown.words.contains("no such card"))
    }

    @Test(
        .enabled(
            if: Fixtures.available && Machine.recording != nil, "the reference fixtures are not beside the checkout"))
    func anOutputThatCannotBeWrittenIsSaidBeforeTheWork() async throws {
        let run = try await Program.run(
            "transcribe", Fixtures.model("whisper-80").path, Machine.recording ?? "", "--out",
            "/proc/none/transcript.srt")
        #expect(run.code == 1)
        #expect(run.isOneClearLine && run.words.contains("/proc/none/transcript.srt"))
    }

    @Test func optionsThatExcludeEachOtherAreUsageErrors() async throws {
        for arguments in [
            ["transcribe", "m", "a", "--json", "--format", "srt"], ["transcribe", "m", "a", "--format", "doc"],
            ["run", "m", "--max-tokens", "many"],
            ["trace", "m", "--audio", "a"], ["trace", "m", "--decoder-ids", "1,x", "--out", "o"], ["bench"],
            ["bench", "--compare", "one.json"],
            ["plan", "m", "--device-memory", "plenty"], ["trace", "m", "--max-tokens", "0", "--out", "o"],
        ] {
            let run = try await Program.run(arguments)
            #expect(run.code == 2, "\(arguments): \(run.words)")
            #expect(run.output.isEmpty)
        }
    }
}

/// The commands on the tiny reference model and on a real one.
@Suite(.serialized) struct SpeechCommandTests {
    @Test("a FIFO is read like a file", .enabled(if: Fixtures.available, "the reference fixtures are absent"))
    func fifo() async throws {
        let folder = try TemporaryFolder(), fifo = folder.path("fifo")
        let sound = Fixtures.models.appending(path: "inputs/audio.wav").path, model = Fixtures.model("whisper-80").path
        try #require(mkfifo(fifo, 0o600) == 0)
        let writer = Process()
        writer.executableURL = URL(filePath: "/bin/sh")
        writer.arguments = ["-c", "cat \"$0\" > \"$1\"", sound, fifo]
        try writer.run()
        let options = ["--language", "English", "--temperature", "0", "--json"]
        let piped = try await Program.run(["transcribe", model, fifo] + options)
        let whole = try await Program.run(["transcribe", model, sound] + options)
        #expect(piped.code == 0 && piped.output == whole.output, "\(piped.words)")
    }

    @Test(.enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
    func aTraceIsWhatTheReferenceComputed() async throws {
        let folder = try TemporaryFolder(), out = folder.path("trace.safetensors")
        let golden = try Fixtures.golden("whisper-80")
        let start = try golden.integers("main/decoder_start"), greedy = try golden.integers("main/greedy")
        let run = try await Program.run(
            "trace", Fixtures.model("whisper-80").path, "--audio",
            Fixtures.models.appending(path: "inputs/audio.wav").path, "--decoder-ids",
            start.map(String.init).joined(separator: ","), "--max-tokens", "\(greedy.count)", "--encoder-rows", "0",
            "--out", out, "--json")
        #expect(run.code == 0, "\(run.words)")
        let names = try #require(run.json as? [[String: Any]]).compactMap { $0["name"] as? String }
        #expect(names.contains("enc.out") && names.contains("step0.cross.0") && names.contains("step1.self.1"))
        let trace = try Checkpoint.open(out)
        #expect(try trace.integers("generated_ids") == greedy)
        for name in ["enc.out", "step0.logits", "step0.cross.0", "step0.self.1", "step1.cross.1"] {
            let mismatch = try golden.compare(
                actual: trace.floats(name), shape: trace.entry(name).shape, to: "main/" + name)
            #expect(mismatch == nil, "\(name): \(mismatch.map { "\($0)" } ?? "")")
        }
    }

    @Test(.enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
    func aTraceCanBeNarrowed() async throws {
        let folder = try TemporaryFolder()
        let run = try await Program.run(
            "trace", Fixtures.model("whisper-80").path, "--audio",
            Fixtures.models.appending(path: "inputs/audio.wav").path, "--decoder-ids",
            "322,329,423,427", "--max-tokens", "2", "--only", "cross", "--layers", "1", "--out",
            folder.path("trace.safetensors"), "--json")
        #expect(run.code == 0, "\(run.words)")
        let names = try #require(run.json as? [[String: Any]]).compactMap { $0["name"] as? String }
        #expect(
            Set(names) == [
                "features", "decoder_input_ids", "enc.hidden.0", "enc.hidden.1", "enc.hidden.2", "enc.out",
                "step0.logits",
                "step0.cross.1", "step1.logits", "step1.cross.1", "step2.logits", "step2.cross.1", "generated_ids",
            ])
    }

    @Test(.enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
    func aPlanAddsUpAndSaysWhatDoesNotFit() async throws {
        let model = Fixtures.model("whisper-80").path
        let run = try await Program.run("plan", model, "--buffers", "--json", "--device-memory", "1GiB")
        #expect(run.code == 0, "\(run.words)")
        let plan = try #require(run.json as? [String: Any])
        let total = try #require(plan["total"] as? Int)
        for part in ["purposes", "buffers"] {
            #expect(
                try #require(plan[part] as? [[String: Any]]).compactMap { $0["bytes"] as? Int }.reduce(0, +) == total)
        }
        let small = try await Program.run("plan", model, "--device-memory", "1KiB")
        #expect(small.code == 1)
        #expect(small.words.hasPrefix("fovea: ") && small.words.contains("more than"))
    }

    @Test(
        .enabled(
            if: Machine.speechModel != nil && Machine.recording != nil,
            "whisper-tiny.en is not installed (fovea pull whisper-tiny.en)"))
    func theRightWordsInEveryFormat() async throws {
        let model = Machine.speechModel ?? "", sound = Machine.recording ?? ""
        // A cache that cannot be written is a warning, not a failure.
        let text = try await Program.run("transcribe", model, sound, environment: ["XDG_CACHE_HOME": "/proc/none"])
        #expect(text.code == 0)
        #expect(text.words.hasPrefix("fovea: warning: the cache folder /proc/none/fovea cannot be written"))
        #expect(Self.letters(text.output) == Self.spoken)

        let json = try await Program.run("transcribe", model, sound, "--json", "--words")
        let document = try #require(json.json as? [String: Any])
        let segments = try #require(document["segments"] as? [[String: Any]])
        let words = segments.flatMap { $0["words"] as? [[String: Any]] ?? [] }
        #expect(Self.letters(words.compactMap { $0["word"] as? String }.joined()) == Self.spoken)
        let starts = words.compactMap { $0["start"] as? Double }
        #expect(starts == starts.sorted() && starts.count == words.count && (starts.last ?? 99) < 11)

        let folder = try TemporaryFolder()
        let file = try await Program.run("transcribe", model, sound, "--out", folder.path("jfk.srt"))
        #expect(file.code == 0 && file.output.isEmpty)
        #expect(try String(contentsOfFile: folder.path("jfk.srt"), encoding: .utf8).hasPrefix("1\n00:00:00,"))
    }

    @Test(.enabled(if: Machine.speechModel != nil, "whisper-tiny.en is not installed (fovea pull whisper-tiny.en)"))
    func aTranscriptWithoutWordsIsSaidToBeOne() async throws {
        let folder = try TemporaryFolder()
        let silence = try folder.write(wavBytes(samples: [UInt8](repeating: 0, count: 64_000)), to: "silence.wav")
        let run = try await Program.run("transcribe", Machine.speechModel ?? "", silence)
        #expect(run.code == 0 && run.output.isEmpty)
        #expect(run.words.contains("the model found no words in \(silence)"))
    }

    @Test(
        .enabled(
            if: Machine.speechModel != nil && Machine.recording != nil,
            "whisper-tiny.en is not installed (fovea pull whisper-tiny.en)"))
    func everyEventIsALineOfJSON() async throws {
        let run = try await Program.run("run", Machine.speechModel ?? "", "--audio", Machine.recording ?? "", "--json")
        #expect(run.code == 0, "\(run.words)")
        let events = try run.output.split(separator: "\n").map {
            try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
        let names = events.compactMap { $0["event"] as? String }
        #expect(
            names.first == "input_prepared" && names.last == "finished" && names.contains("encoded")
                && names.contains("segment"))
        let tokens = events.filter { $0["event"] as? String == "token" }
        #expect(
            Self.letters(
                tokens.filter { $0["special"] as? Bool == false }.compactMap { $0["text"] as? String }.joined())
                == Self.spoken)
        #expect(tokens.allSatisfy { ($0["log_probability"] as? Double ?? 1) <= 0 })
    }

    private static let spoken = letters(
        "And so, my fellow Americans: ask not what your country can do for you, ask what you can do for your country.")

    private static func letters(_ text: String) -> String { text.lowercased().filter(\.isLetter) }
}
