import Foundation
import TestSupport
import Testing

/// Languages of translation models, as options.
@Suite("languages as options", .needsLargeFixtures) struct LanguageTests {
    private static let model = Fixtures.model("m2m100").path

    @Test("inspect lists them") func inspect() async throws {
        let run = try await Program.run("inspect", Self.model)
        #expect(run.code == 0 && run.output.contains("fra_Latn") && run.output.contains("French"))
    }

    @Test(
        "unknown languages are wrong options",
        arguments: [
            (["run", model, "--prompt", "A cat.", "--target-language", "Klingon"], "--target-language"),
            (["run", model, "--prompt", "A cat.", "--source-language", "zho"], "zho_Hans"),
            (["trace", model, "--prompt", "A cat.", "--target-language", "xx", "--out", "o"], "--target-language"),
        ])
    func unknown(_ arguments: [String], _ words: String) async throws {
        let run = try await Program.run(arguments)
        #expect(run.code == 2 && run.words.contains(words), "\(run.words)")
    }

    @Test("models without tokens for languages refuse them") func refused() async throws {
        let run = try await Program.run(
            "run", Fixtures.model("t5").path, "--prompt", "A cat.", "--target-language", "fr")
        #expect(run.code != 0 && run.words.contains("no tokens for languages") && run.isOneClearLine, "\(run.words)")
    }

    @Test("without a target it says what to do") func none() async throws {
        let run = try await Program.run("run", Self.model, "--prompt", "A cat.")
        #expect(run.code == 1 && run.words.contains("--target-language"), "\(run.words)")
    }

    @Test("a trace into a language is what the reference computed") func trace() async throws {
        let golden = try Fixtures.golden("m2m100"), folder = try TemporaryFolder()
        let out = folder.path("trace.safetensors")
        let count = try golden.integers("main/greedy").count
        let run = try await Program.run(
            "trace", Self.model, "--prompt", "The old cat sleeps near the window.", "--source-language", "English",
            "--target-language",
            "French", "--max-tokens", "\(count)", "--out", out)
        #expect(run.code == 0, "\(run.words)")
        try TraceFile.compare(out, with: golden, case: "main", expecting: ["enc.", "step", "greedy"])
    }
}
