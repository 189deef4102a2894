import Foundation
import Generation
import ModelStore
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

/// A photograph shown to a model that knows only drawings: the notice, and the models that read photographs.
@Suite struct PhotographTests {
    private static let drawings = ModelChoice(name: "seer", description: "sees drawings", installed: true, bytes: 1)
    private static let small = ModelChoice(
        name: "smolvlm-256m", description: "chats about photographs", installed: false, bytes: 517_000_000,
        readsPhotographs: true)
    private static let large = ModelChoice(
        name: "llava-1.5-7b", description: "chats about photographs", installed: false, bytes: 14_130_000_000,
        readsPhotographs: true)

    /// A question about a picture, answered.
    private static func asked(isFamiliar: Bool?) -> Scene {
        var scene = Scene(100, 34)
        scene.send(
            .device("llvmpipe"), .started(model: nil, audio: nil), .models([drawings, small, large]),
            .loaded("seer", .done), .abilities(Scene.pictureModel), .attach("/tmp/photo.jpg"))
        ask(&scene, isFamiliar: isFamiliar)
        return scene
    }

    private static func ask(_ scene: inout Scene, isFamiliar: Bool?) {
        scene.type("What do you see?")
        scene.press(Key(.enter))
        let shown = Scenery.whole()
        let picture = PictureInput(
            index: 0, name: "photo.jpg", picture: shown.picture, width: shown.width, height: shown.height,
            kind: shown.kind, keys: shown.keys, isFamiliar: isFamiliar)
        let number = scene.state.chat.answer
        scene.send(.answer(number, .inputPrepared(.picture(picture)), time: 0))
        for token in Scenery.tokens(picture).prefix(2) { scene.send(.answer(number, .token(token), time: 1)) }
        scene.send(.answered(number, .done))
    }

    private static func notices(_ scene: Scene) -> [String] {
        scene.state.chat.messages.filter { $0.author == .program(.warning) }.map(\.text)
    }

    @Test(arguments: [true, nil] as [Bool?])
    func aFamiliarPictureIsNoCauseForANotice(isFamiliar: Bool?) {
        var scene = Self.asked(isFamiliar: isFamiliar)
        #expect(Self.notices(scene).isEmpty)
        scene.press(.control("o"))
        #expect(scene.state.overlay == nil)
    }

    @Test func anUnfamiliarPictureIsReportedOnce() {
        var scene = Self.asked(isFamiliar: false)
        #expect(Self.notices(scene).count == 1)
        #expect(Self.notices(scene).first?.contains("photo.jpg is not a picture of the kind that seer") == true)
        Self.ask(&scene, isFamiliar: false)
        #expect(Self.notices(scene).count == 1)
    }

    @Test func modelsAreOfferedWithSizeAndFit() {
        var scene = Self.asked(isFamiliar: false)
        #expect(scene.press(.control("o")) == [.forecast(["smolvlm-256m", "llava-1.5-7b"])])
        #expect(scene.text.contains("computing its memory"))
        scene.send(
            .forecast("smolvlm-256m", MemoryForecast(total: 900_000_000, fits: true)),
            .forecast("llava-1.5-7b", MemoryForecast(total: 15_000_000_000, fits: false)))
        let text = scene.text
        #expect(text.contains("smolvlm-256m") && text.contains("fits this device"))
        #expect(text.contains("llava-1.5-7b") && text.contains("too large"))
        #expect(!text.contains("sees drawings") && text.contains("download and ask again"))
        scene.press(Key(.escape))
        #expect(scene.press(.control("o")).isEmpty)
    }

    @Test func oneKeyPullsLoadsAndAsksAgain() throws {
        var scene = Self.asked(isFamiliar: false)
        scene.press(.control("o"))
        #expect(scene.press(Key(.enter)) == [.download("smolvlm-256m")])
        scene.send(
            .download(
                "smolvlm-256m",
                PullProgress(
                    phase: .downloading, file: "model.safetensors", receivedBytes: 258_500_000,
                    totalBytes: 517_000_000)))
        #expect(scene.text.contains("downloading smolvlm-256m") && scene.text.contains("50"))
        #expect(scene.send(.downloaded("smolvlm-256m", .done)).contains(.load("smolvlm-256m")))
        let effects = scene.send(.loaded("smolvlm-256m", .done))
        guard case .answer(_, let request)? = effects.first(where: { if case .answer = $0 { true } else { false } })
        else {
            Issue.record("the question is not asked again")
            return
        }
        #expect(request.messages.map(\.text) == ["What do you see?"])
        #expect(request.messages.map(\.pictures) == [["/tmp/photo.jpg"]])
        #expect(scene.state.chat.messages.filter(\.isAnswer).map(\.author) == [.model("smolvlm-256m")])
        // Only once: a model chosen later is not asked.
        scene.send(.answered(scene.state.chat.answer, .done))
        #expect(
            !scene.send(.loaded("seer", .done)).contains { if case .answer = $0 { true } else { false } })
    }

    @Test(arguments: [TaskEnd.cancelled, .failed("no network")])
    func theFirstAnswerStaysWithoutANewModel(end: TaskEnd) {
        var scene = Self.asked(isFamiliar: false)
        scene.press(.control("o"), Key(.enter))
        scene.send(.downloaded("smolvlm-256m", end))
        #expect(scene.state.chat.messages.filter(\.isAnswer).map(\.author) == [.model("seer")])
        #expect(
            !scene.send(.loaded("seer", .done)).contains { if case .answer = $0 { true } else { false } })
    }
}
