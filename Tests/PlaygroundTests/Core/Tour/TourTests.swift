import Foundation
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("The tour")
struct TourTests {
    private func firstStart(_ width: Int, _ height: Int) -> Scene {
        var scene = Scene(width, height)
        scene.send(.tourDue)
        scene.loadModel()
        return scene
    }

    @Test("each step, cell by cell", arguments: ViewTests.sizes) func steps(width: Int, height: Int) throws {
        var scene = firstStart(width, height)
        #expect(scene.effects.contains(.markTourShown))
        for step in 1...4 {
            #expect(scene.text.contains("\(step) of 4"))
            try expectSnapshot(scene.canvas, "tour-\(step)-\(width)x\(height)")
            scene.press(Key(.enter))
        }
        #expect(scene.state.overlay == nil && scene.state.focus == .input, "what was in focus is so again")
    }

    @Test("Esc leaves it at any step, arrows go both ways, what is typed meanwhile goes nowhere") func keys() {
        var scene = firstStart(120, 40)
        scene.press(Key(.right), Key(.right), Key(.left))
        #expect(scene.state.overlay == .tour(step: 1))
        scene.type("xyz")
        #expect(scene.state.overlay == .tour(step: 1) && scene.state.input.isEmpty)
        scene.press(Key(.escape))
        #expect(scene.state.overlay == nil)
        scene.send(.loaded("whisper-base", .done))
        #expect(scene.state.overlay == nil, "it does not come by itself again")
        scene.type("/tour")
        scene.press(Key(.enter))
        #expect(scene.state.overlay == .tour(step: 0))
        scene.press(.control("c"))
        #expect(scene.state.overlay == nil)
    }

    @Test("it waits for a model, and does not interrupt") func waiting() {
        var scene = Scene(120, 40)
        scene.send(.tourDue, .models([ModelChoice(name: "m", description: "", installed: false, bytes: 1)]))
        #expect(scene.state.overlay == .models(selected: 0))
        scene.press(Key(.enter))
        scene.send(.downloaded("m", .done))
        scene.press(.control("c"))
        scene.state.overlay = .help(scroll: 0)
        scene.send(.loaded("m", .done))
        #expect(scene.state.overlay == .help(scroll: 0) && !scene.effects.contains(.markTourShown))
        var working = Scene(120, 40)
        working.send(.tourDue, .started(model: nil, audio: "a.wav"))
        working.loadModel()
        #expect(working.state.overlay == nil)
    }

    @Test("every step can be drawn at every size") func everywhere() {
        var scene = firstStart(120, 40)
        for step in 0..<4 {
            scene.state.overlay = .tour(step: step)
            for width in stride(from: 1, through: 250, by: 13) {
                for height in stride(from: 1, through: 80, by: 7) {
                    scene.send(.input(.resized(Size(width, height))))
                    #expect(scene.canvas.size == Size(width, height))
                }
            }
        }
    }

    @Test("it is remembered in the folder") func remembered() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("fovea-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(!TourMark.wasShown(in: folder))
        TourMark.remember(in: folder)
        #expect(TourMark.wasShown(in: folder))
        TourMark.remember(in: "/dev/null/fovea")
        #expect(!TourMark.wasShown(in: "/dev/null/fovea"))
    }
}
