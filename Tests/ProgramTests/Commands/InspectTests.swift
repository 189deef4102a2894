import Foundation
import TestSupport
import Testing

/// `fovea inspect` on right and wrong files.
@Suite(.serialized) struct InspectTests {
    @Test(
        .enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"),
        arguments: [
            ("t5", "safetensors", "t5", 55), ("t5-sharded", "sharded safetensors", "t5", 55),
            ("whisper-80", "safetensors", "whisper", 89),
            ("gguf/t5-q4_0.gguf", "GGUF", "t5", 55),
            ("ggml-whisper/ggml-tiny-random.bin", "whisper.cpp", "whisper", 89),
            ("openai-whisper/tiny.pt", "PyTorch", "whisper", 89),
        ])
    func formatsAreTold(_ name: String, format: String, architecture: String, tensors: Int) async throws {
        let path = Fixtures.model(name).path
        let run = try await Program.run("inspect", path, "--json", "--tensors")
        #expect(run.code == 0, "\(run.words)")
        let report = try #require(run.json as? [String: Any])
        #expect(report["format"] as? String == format)
        #expect(report["architecture"] as? String == architecture)
        #expect(report["tensor_count"] as? Int == tensors)
        let list = try #require(report["tensors"] as? [[String: Any]])
        #expect(list.count == tensors)
        let totals = try #require(report["totals"] as? [[String: Any]])
        #expect(totals.compactMap { $0["bytes"] as? Int }.reduce(0, +) == report["bytes"] as? Int)
        #expect(list.compactMap { $0["bytes"] as? Int }.reduce(0, +) == report["bytes"] as? Int)

        let text = try await Program.run("inspect", path, "--tensors")
        #expect(text.code == 0)
        #expect(text.output.contains(format) && text.output.contains(list[0]["name"] as? String ?? "?"))
    }

    @Test(.enabled(if: Fixtures.available, "the reference fixtures are not beside the checkout"))
    func aTruncatedModelSaysHowMuchIsMissing() async throws {
        let folder = try TemporaryFolder()
        let whole = try Data(contentsOf: Fixtures.model("t5").appending(path: "model.safetensors"))
        let path = try folder.write(whole.prefix(whole.count / 2), to: "model.safetensors")
        let run = try await Program.run("inspect", path)
        #expect(run.code == 1)
        #expect(run.isOneClearLine)
        #expect(run.words.contains("ends too early") && run.words.contains("fetch the file again"))
    }

    @Test func emptyAndForeignFilesAreRefused() async throws {
        let folder = try TemporaryFolder()
        for path in [
            try folder.write("", to: "model.safetensors"), try folder.write("a letter to nobody", to: "letter.txt"),
        ] {
            let run = try await Program.run("inspect", path)
            #expect(run.code == 1)
            #expect(run.isOneClearLine)
            #expect(run.words.contains(path))
        }
    }

    @Test func aFileNameCannotReachTheTerminal() async throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("nothing", to: "evil\u{1b}]0;title\u{7}\nname")
        let run = try await Program.run("inspect", path)
        #expect(run.code == 1)
        #expect(run.isOneClearLine)
        #expect(!run.words.contains("\u{7}"))
    }

    @Test func tensorNamesCannotReachTheTerminal() async throws {
        let folder = try TemporaryFolder()
        let header = #"{"a\u001b[31m\u202e":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#
        var length = UInt64(header.utf8.count).littleEndian
        let bytes = withUnsafeBytes(of: &length) { Array($0) } + Array(header.utf8) + [UInt8](repeating: 0, count: 8)
        let run = try await Program.run("inspect", "--tensors", try folder.write(bytes, to: "model.safetensors"))
        #expect(run.code == 0, "\(run.words)")
        #expect(!run.output.contains("\u{1b}") && !run.output.unicodeScalars.contains("\u{202e}"))
    }

    @Test func aModelThatIsNotThereSaysHowToGetIt() async throws {
        let known = try await Program.run("inspect", "whisper-tiny.en")
        #expect(known.code == 1)
        #expect(known.isOneClearLine)
        #expect(known.words.contains("fovea pull whisper-tiny.en"))
        let unknown = try await Program.run("inspect", "whisper-enormous")
        #expect(unknown.code == 1)
        #expect(unknown.words.contains("whisper-tiny.en"))
    }
}
