import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Layout")
struct LayoutTests {
    @Test("nothing overlaps or leaves the screen, at any size")
    func noOverlap() {
        for width in 20...250 {
            for height in 5...80 {
                for focus in Panels.all.map(\.focus) {
                    for lines in [1, 4] {
                        let layout = Layout(Size(width, height), focus: focus, inputLines: lines)
                        let parts =
                            layout.panels.map(\.rect) + [layout.divider, layout.rule].compactMap { $0 }
                            + (layout.isTooSmall ? [] : [layout.status])
                        if layout.isTooSmall {
                            #expect(width < 40 || height < 12)
                            #expect(parts.isEmpty)
                            continue
                        }
                        for (index, part) in parts.enumerated() {
                            if part.isEmpty || part.intersection(Rect(Size(width, height))) != part {
                                Issue.record("\(part) at \(width)×\(height)")
                            }
                            for other in parts[(index + 1)...] where !part.intersection(other).isEmpty {
                                Issue.record("\(part) over \(other) at \(width)×\(height)")
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("80×24 shows all three panels", arguments: [(80, 24), (120, 40), (200, 60)])
    func threePanels(width: Int, height: Int) {
        let layout = Layout(Size(width, height), focus: .input)
        #expect(layout[.chat] != nil && layout[.attention] != nil && layout[.memory] != nil)
        #expect(
            (layout[.attention]?.height ?? 0) >= 12 && (layout[.memory]?.height ?? 0) >= 7
                && (layout[.chat]?.width ?? 0) >= 34)
    }

    @Test("a narrow screen shows the panel in focus") func narrow() {
        #expect(Layout(Size(50, 20), focus: .input)[.chat] != nil)
        #expect(Layout(Size(50, 20), focus: .attention)[.attention] != nil)
        #expect(Layout(Size(50, 20), focus: .memory)[.memory] != nil)
        #expect(Layout(Size(50, 20), focus: .memory)[.chat] == nil)
    }

    @Test("every state can be drawn at every size") func drawsEverywhere() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.answer()
        scene.press(Key(.escape), Key(.left))
        for overlay in [nil, Overlay.help(scroll: 3), .models(selected: 1), .quitQuestion] {
            scene.state.overlay = overlay
            for width in stride(from: 1, through: 250, by: 41) {
                for height in stride(from: 1, through: 80, by: 13) {
                    for heads in [false, true] {
                        scene.state.attention.showsHeads = heads
                        scene.send(.input(.resized(Size(width, height))))
                        #expect(scene.canvas.size == Size(width, height))
                    }
                }
            }
        }
    }
}

@Suite("Views, cell by cell")
struct ViewTests {
    static let sizes = [(80, 24), (120, 40), (200, 60)]

    @Test("first start, nothing installed", arguments: sizes) func welcome(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.send(
            .device("llvmpipe"), .started(model: nil, audio: nil),
            .models([
                ModelChoice(
                    name: "whisper-tiny.en", description: "speech, English", installed: false, bytes: 78_000_000)
            ]))
        try expectSnapshot(scene.canvas, "welcome-\(width)x\(height)")
        #expect(scene.text.contains("No model is installed yet"))
    }

    @Test("while words arrive", arguments: sizes) func streaming(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel()
        scene.answer(tokens: 15, finished: false)
        try expectSnapshot(scene.canvas, "streaming-\(width)x\(height)")
        #expect(scene.text.contains("country"))
        #expect(scene.text.contains("not explanation"))
        #expect(scene.text.contains("tok/s"))
    }

    @Test("looking back at a word, one head", arguments: sizes) func scrubbing(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel()
        scene.answer()
        scene.type("/layer 3")
        scene.press(Key(.enter))
        scene.type("/head 4")
        scene.press(Key(.enter))
        scene.press(Key(.escape), Key(.left), Key(.left), Key(.left))
        try expectSnapshot(scene.canvas, "scrubbing-\(width)x\(height)")
        #expect(scene.text.contains("layer 3 · head 4"))
    }

    @Test("every head of a layer", arguments: sizes) func heads(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel()
        scene.answer()
        scene.press(Key(.escape), .character("g"), Key(.down))
        try expectSnapshot(scene.canvas, "heads-\(width)x\(height)")
        #expect(scene.text.contains("layer 0 · every head") && scene.text.contains("h5"))
    }

    @Test("by colors and size of the terminal", arguments: ColorDepth.allCases, ViewTests.sizes) func depths(
        depth: ColorDepth, size: (width: Int, height: Int)
    ) throws {
        var scene = Scene(size.width, size.height, depth: depth, unicode: depth != .eight)
        scene.loadModel()
        scene.answer(windows: 2)
        scene.press(Key(.left))
        try expectSnapshot(scene.canvas, "depth-\(depth.rawValue)-\(size.width)x\(size.height)")
    }

    @Test("help lists every key and command") func help() throws {
        var scene = Scene(120, 112)
        scene.press(.character("?"))
        try expectSnapshot(scene.canvas, "help")
        for command in SlashCommand.all { #expect(scene.text.contains("/\(command.name)")) }
    }

    @Test("a screen that is too small says so") func tooSmall() {
        let scene = Scene(39, 11)
        #expect(scene.text.contains("40×12"))
        #expect(Scene(3, 1).canvas.size == Size(3, 1))
    }

    @Test("loading shows how far it is") func didAdvanceLoad() {
        var scene = Scene(120, 40)
        scene.send(
            .started(model: "whisper-base", audio: nil), .models([]),
            .load("whisper-base", LoadProgress(stage: "decoder weights", fraction: 0.42)))
        #expect(
            scene.text.contains("loading whisper-base") && scene.text.contains("42 %")
                && scene.text.contains("decoder weights"))
    }

    @Test("what the driver does not say is missing, not zero") func missingFigures() {
        var scene = Scene(120, 40)
        scene.loadModel()
        let row = scene.text.split(separator: "\n").first { $0.contains("driver's budget") }
        #expect(row?.hasSuffix("—") == true)
    }

    @Test("text of a model cannot reach the terminal's controls") func untrusted() {
        var scene = Scene(80, 24)
        scene.loadModel()
        scene.send(.input(.paste("/audio x.wav")))
        scene.press(Key(.enter))
        scene.send(
            .answer(
                scene.state.chat.answer,
                .token(
                    .init(index: 0, id: 1, text: "\u{1B}[2Jhi\u{07}\u{202E}", piece: "\u{1B}x", logProbability: -0.1)),
                time: 0))
        #expect(scene.text.contains("hi␇"))
        #expect(
            scene.canvas.cells.allSatisfy { cell in
                cell.glyph.scalars.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != 0x202E }
            })
    }
}
