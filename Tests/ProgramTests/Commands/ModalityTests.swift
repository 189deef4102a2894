import Foundation
import TestSupport
import Testing

/// The playground in a terminal with a model of each kind that is not speech: the small reference models, whose answers
/// mean nothing but whose attention is computed as any model's.
@Suite(
    .serialized, .enabled(if: Machine.has("tmux"), "tmux is not installed"),
    .enabled(if: Fixtures.available, "the reference fixtures are not here"))
struct ModalityTests {
    private func start(_ model: String, _ more: String...) async throws -> TerminalSession {
        let session = try TerminalSession([Fixtures.model(model).path] + more, width: 120, height: 36)
        try await session.wait(for: "\(model) is ready", seconds: 120)
        return session
    }

    private func ask(_ text: String, _ session: TerminalSession) async throws -> TerminalSession.Screen {
        try session.type("/set max-tokens 12")
        try session.press("Enter")
        try await session.wait(for: "max-tokens: 12")
        try session.type(text)
        try session.press("Enter")
        return try await session.wait("an answer", seconds: 120) { $0.contains("tok/s") && $0.contains("idle · ") }
    }

    @Test(arguments: ["mllama", "llava"]) func aPictureIsAttachedSeenAndAskedAbout(_ model: String) async throws {
        let picture = Fixtures.models.appending(path: "inputs/image_b.png").path
        let session = try await start(model, picture)
        try await session.wait(for: "▣ image_b.png")
        let answered = try await ask("what is this", session)
        #expect(answered.contains("on this picture") && answered.contains("not explanation"))
        if model == "llava" { #expect(answered.contains("Self-attention over image tokens")) }
        try session.press("Escape")
        try await session.wait(for: "c probe")
        try session.press("c")
        let asked = try await session.wait(for: "looked here")
        #expect(asked.contains("◆ patch"))
        try session.press("Escape")
        // A letter that follows at once would be one with Alt.
        try await session.wait("the question to end") { !$0.contains("◆ patch") }
        try session.press("g")
        try await session.wait(for: "every head")
        try session.press("q")
        #expect(try await session.end(seconds: 60) == 0)
        try session.expectSane()
    }

    @Test(arguments: ["marian", "llama3"]) func aTextIsReadAndItsWordsAreShaded(_ model: String) async throws {
        let session = try await start(model)
        let answered = try await ask("the little house", session)
        #expect(answered.contains("tokens read") && answered.contains("special tokens"))
        try session.press("Escape")
        try await session.wait(for: "v view")
        try session.press("v")
        try await session.wait("the matrix") { !$0.contains("special tokens") }
        try session.press("q")
        #expect(try await session.end(seconds: 60) == 0)
        try session.expectSane()
    }
}

/// The included models, as a person sees them on the first start.
@Suite(
    .serialized, .enabled(if: Machine.has("tmux"), "tmux is not installed"),
    .enabled(
        if: FileManager.default.fileExists(
            atPath: Fixtures.packageRoot.appending(path: "assets/models/fovea-scenes/model.safetensors").path),
        "no model is included"))
struct FirstStartTests {
    @Test func theTourTheSampleAndAQuestionByOneKey() async throws {
        let session = try TerminalSession(width: 120, height: 36)
        try await session.wait(for: "1 of 4", seconds: 120)
        try session.press("Escape")
        // A key that follows Escape at once would be one with Alt.
        let welcome = try await session.wait("the tour to end") {
            !$0.contains("1 of 4") && $0.contains("▣ sample.png")
        }
        #expect(welcome.contains("fovea-scenes is ready") || welcome.contains("What do you see?"))
        try session.press("Up")
        try await session.wait("the first question in the line") {
            $0.lines.suffix(4).contains { $0.contains("What do you see?") }
        }
        try session.press("Enter")
        let answered = try await session.wait("an answer", seconds: 120) {
            $0.contains("tok/s") && $0.contains("idle · ")
        }
        // It names something of the picture, and says what is shown.
        #expect(["cat", "tree", "sun"].contains { word in answered.lines.contains { $0.lowercased().contains(word) } })
        #expect(
            answered.contains("aligned head") && answered.contains("on this picture")
                && answered.contains("cross-attention"))

        // Its twin, in the other architecture, named as what it is.
        try session.type("/model fovea-scenes-llava")
        try session.press("Enter")
        try await session.wait(for: "fovea-scenes-llava is ready", seconds: 120)
        try session.type("/new")
        try session.press("Enter")
        try session.type("/sample")
        try session.press("Enter")
        try await session.wait(for: "▣ sample.png")
        try session.type("What do you see?")
        try session.press("Enter")
        try await session.wait("an answer", seconds: 120) {
            $0.contains("Self-attention over image tokens") && $0.contains("idle · ")
        }

        // The translator.
        try session.type("/model fovea-fra-eng")
        try session.press("Enter")
        try await session.wait(for: "fovea-fra-eng is ready", seconds: 120)
        // The pictures of the conversation so far are none of its business.
        try session.press("Up")
        try await session.wait(for: "il habite")
        try session.press("Enter")
        try await session.wait("a translation", seconds: 120) { $0.contains("tokens read") && $0.contains("idle · ") }
        try session.press("C-d")
        #expect(try await session.end(seconds: 60) == 0)
        try session.expectSane()
    }
}
