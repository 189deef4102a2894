import AttentionAnalysis
import Foundation
import Generation
import Media
import Terminal
import Testing

@testable import Playground
@testable import PlaygroundCore

@Suite("Pictures")
struct PictureTests {
    static let sizes = [(80, 24), (120, 40), (200, 60)]

    @Test("a picture lands in its own proportions, in the middle, at any size") func frames() {
        for (width, height) in [(320, 240), (1000, 100), (100, 1000), (1, 1)] {
            for columns in stride(from: 1, through: 120, by: 7) {
                for rows in stride(from: 1, through: 60, by: 5) {
                    let area = Rect(x: 3, y: 2, width: columns, height: rows)
                    let frame = PictureFrame(width: width, height: height, in: area)
                    #expect(!frame.rect.isEmpty && frame.rect.intersection(area) == frame.rect)
                    #expect(frame.left == 0 && frame.top == 0 && frame.right == 1 && frame.bottom == 1)
                    // A cell is twice as high as wide; rounding to whole cells is all that bends the proportions.
                    if frame.rect.width > 10 && frame.rect.height > 10 {
                        let shown = Double(frame.rect.width) / Double(frame.rect.height * 2)
                        #expect(abs(shown - Double(width) / Double(height)) < 0.15 * Double(width) / Double(height))
                    }
                }
            }
        }
    }

    @Test("each pixel belongs to the patch its middle lies in") func patchGrid() {
        let view = PictureView(Scenery.whole())
        let frame = PictureFrame(width: 320, height: 240, in: Rect(x: 0, y: 0, width: 64, height: 24))
        #expect(frame.rect == Rect(x: 0, y: 0, width: 64, height: 24))
        let owners = frame.patches(view.patches, across: 64, down: 48)
        for y in 0..<48 { for x in 0..<64 { #expect(Int(owners[y * 64 + x]) == y / 4 * 16 + x / 4) } }
    }

    @Test("zoomed in, the same patch lies under the same point") func zoom() throws {
        let view = PictureView(Scenery.whole())
        let frame = PictureFrame(
            width: 320, height: 240, in: Rect(x: 0, y: 0, width: 64, height: 24), zoom: 4, center: (0.9, 0.1))
        #expect(abs(frame.right - 1) < 1e-9 && frame.top == 0 && abs(frame.left - 0.75) < 1e-9)
        let owners = frame.patches(view.patches, across: 64, down: 48)
        for (x, y) in [(0, 0), (13, 7), (63, 23)] {
            let point = try #require(frame.point(x: x, y: y))
            #expect(view.patch(at: point.x, point.y).map(Int32.init) == owners[2 * y * 64 + x])
        }
    }

    @Test("where the weight rests, in shares that sum to one") func shares() {
        let view = PictureView(Scenery.tiled)
        #expect(view.patches.count == 192 && view.overview.count == 48 && view.blanks.count == 12)
        var row = [Float](repeating: 0, count: 260)
        row[1] = 0.5  // a patch
        row[0] = 0.125  // a class token
        row[196] = 0.25  // the overview
        row[255] = 0.125  // behind the picture
        let shares = view.shares(of: row)
        #expect(shares == .init(picture: 0.75, overview: 0.25, blank: 0.125, elsewhere: 0.125))
        // Blended, the overview's first patch falls on the four patches it covers.
        let heat = view.heat(of: row, blended: true)
        #expect(heat[0] == 0.5625 && heat[1] == 0.0625 && heat[8] == 0.0625 && heat[9] == 0.0625)
        #expect(abs(heat.reduce(0, +) - 0.75) < 1e-6)
        #expect(view.heat(of: row, blended: false)[0] == 0.5)
        // A picture that was not cut has no overview beside its detail.
        #expect(!PictureView(Scenery.whole()).hasOverview)
    }

    @Test("rows shorter than the keys, and numbers that are none, draw nothing") func oddRows() {
        let view = PictureView(Scenery.whole())
        #expect(view.heat(of: [], blended: true).allSatisfy { $0 == 0 })
        #expect(view.heat(of: Array(repeating: .nan, count: 193), blended: true).allSatisfy { $0 == 0 })
        #expect(view.shares(of: [.infinity, 0.5]) == .init(picture: 0.5, overview: 0, blank: 0, elsewhere: 0))
    }

    @Test("a picture, its question and its answer", arguments: sizes) func wholeScene(width: Int, height: Int) throws {
        var scene = Scene(width, height)
        scene.loadModel(Scene.pictureModel, name: "blip-base")
        scene.look(at: Scenery.whole())
        scene.press(Key(.escape), Key(.left))
        try expectSnapshot(scene.canvas, "picture-\(width)x\(height)")
        #expect(scene.text.contains("on this picture") && scene.text.contains("not explanation"))
        #expect(scene.text.contains("▣ scenery.png"))
    }

    @Test("tiles with the picture seen whole beside them", arguments: sizes) func tiles(width: Int, height: Int) throws
    {
        var scene = Scene(width, height)
        scene.loadModel(Scene.pictureModel, name: "llama-vision")
        scene.look(at: Scenery.tiled)
        scene.press(Key(.escape), Key(.left))
        try expectSnapshot(scene.canvas, "tiles-\(width)x\(height)")
        scene.press(.character("o"))
        #expect(scene.state.attention.blendsOverview)
        scene.press(.character("g"))
        try expectSnapshot(scene.canvas, "tiles-heads-\(width)x\(height)")
        #expect(scene.text.contains("h0") && scene.text.contains("h3"))
    }

    @Test("by colors and size of the terminal", arguments: ColorDepth.allCases, ViewTests.sizes) func depths(
        depth: ColorDepth, size: (width: Int, height: Int)
    ) throws {
        var scene = Scene(size.width, size.height, depth: depth, unicode: depth != .eight)
        scene.loadModel(Scene.pictureModel, name: "blip-base")
        scene.look(at: Scenery.whole())
        scene.press(Key(.escape), .character("c"))
        try expectSnapshot(scene.canvas, "picture-depth-\(depth.rawValue)-\(size.width)x\(size.height)")
    }

    @Test("models without cross-attention are named as what they are") func selfAttention() {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.pictureModel, name: "llava")
        scene.look(at: Scenery.whole(.selfAttention, first: 4), before: 4, after: 3)
        #expect(
            scene.text.contains("Self-attention over image tokens")
                && scene.text.contains("self-attention, not explanation: where it read, not why"))
        #expect(scene.text.contains("words "))
    }

    @Test("a click on a patch shows who looked there; a second one asks no more") func click() throws {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.pictureModel, name: "blip-base")
        scene.look(at: Scenery.whole())
        let rect = try #require(scene.state.layout[.attention])
        let picture = try #require(scene.state.shownPicture)
        let area = rect.inset(top: 2, bottom: 1)
        let places = PictureMap.Places(picture, scene.state, in: area)
        // The sun is at 250, 50.
        let x = places.frame.rect.x + places.frame.rect.width * 250 / 320,
            y = places.frame.rect.y + places.frame.rect.height * 50 / 240
        scene.send(.input(.mouse(.press, x: x, y: y)))
        let looks = try #require(scene.state.attention.looks)
        let tokens = scene.state.chat.messages[1].tokens
        #expect(Set(looks.strongest(2).map { tokens[$0.token].text }) == [" yellow", " sun"])
        #expect(scene.text.contains("looked here: "))
        // They are shaded in the chat.
        let line = try #require(
            scene.text.split(separator: "\n", omittingEmptySubsequences: false).firstIndex {
                $0.contains("A red house")
            })
        let row = Array(scene.canvas.text(row: line))
        let sun = try #require(
            String(row).range(of: "sun").map { String(row).distance(from: String(row).startIndex, to: $0.lowerBound) })
        #expect(!scene.canvas[sun, line].style.background.isStandard)
        // The place is kept though the layout has moved by the line that names it.
        guard case .point(let index, let px, let py)? = scene.state.attention.probe else {
            Issue.record("no probe"); return
        }
        scene.state.ask(about: .point(picture: index, x: px, y: py))
        #expect(scene.state.attention.probe == nil)
    }

    @Test("the keyboard's way: c, arrows, Esc") func keyboard() throws {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.pictureModel, name: "blip-base")
        scene.look(at: Scenery.whole())
        scene.press(Key(.tab), .character("c"))
        #expect(scene.state.attention.movesProbe && scene.state.focus == .attention)
        guard case .point(_, let x, let y)? = scene.state.attention.probe else { Issue.record("no probe"); return }
        scene.press(Key(.right), Key(.right), Key(.down))
        guard case .point(_, let toX, let toY)? = scene.state.attention.probe else { Issue.record("no probe"); return }
        #expect(abs(toX - x - 2.0 / 16) < 1e-9 && abs(toY - y - 1.0 / 12) < 1e-9)
        for _ in 0..<40 { scene.press(Key(.right)) }
        guard case .point(_, let edge, _)? = scene.state.attention.probe else { Issue.record("no probe"); return }
        #expect(edge < 1 && edge > 0.95)
        // The layer can still be chosen by command; Esc ends asking and keeps the panel.
        scene.press(Key(.escape))
        #expect(
            scene.state.attention.probe == nil && scene.state.attention.looks == nil && scene.state.focus == .attention)
    }

    @Test("relative attention: what a token has beyond the mean of the answer's") func relative() throws {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.pictureModel, name: "blip-base")
        scene.look(at: Scenery.whole())
        scene.press(Key(.escape), .character("r"))
        let rows = scene.state.attention.rows.rows.compactMap { $0 }
        let shown = try #require(scene.state.shownToken)
        let row = rows[shown.token]
        let relative = try #require(scene.state.shownRow)
        for key in [0, 1, 50, 192] {
            let mean = rows.reduce(Float(0)) { $0 + $1[key] } / Float(rows.count)
            #expect(abs(relative[key] - max(0, row[key] - mean)) < 1e-6)
        }
        #expect(scene.text.contains("above the mean of this answer's 8 tokens"))
    }

    @Test("quarter blocks keep two colors where there are two") func quarters() {
        var raster = Raster(width: 4, height: 2, fill: Color(0x102030))
        raster[0, 0] = Color(0xFFFFFF)
        raster[2, 1] = Color(0xFFFFFF)
        raster[3, 0] = Color(0xFFFFFF)
        var canvas = Canvas(Size(2, 1))
        QuadrantBlitter().blit(raster, onto: &canvas, at: Rect(x: 0, y: 0, width: 2, height: 1))
        #expect(canvas.text == "▘▞")
        #expect(canvas[0, 0].style == Style(Color(0xFFFFFF), on: Color(0x102030)))
        #expect(
            Set([canvas[1, 0].style.foreground, canvas[1, 0].style.background]) == [Color(0xFFFFFF), Color(0x102030)])
    }

    @Test(
        "where the terminal has pixels the map is a picture over blank cells, patch for patch; under what lies over the screen, cells"
    ) func pixels() throws {
        var scene = Scene(120, 40)
        scene.loadModel(Scene.pictureModel, name: "blip-base")
        scene.look(at: Scenery.whole())
        let cells = scene.canvas
        #expect(cells.pictures.isEmpty)
        scene.state.theme.capabilities.graphics = .sixel
        let canvas = scene.canvas
        let picture = try #require(canvas.pictures.first)
        #expect(canvas.pictures.count == 1 && picture.raster.width >= 6 * picture.rect.width)
        for y in 0..<canvas.size.height {
            for x in 0..<canvas.size.width {
                if picture.rect.contains(x: x, y: y) {
                    #expect(canvas[x, y] == .blank)
                } else {
                    #expect(canvas[x, y] == cells[x, y])
                }
            }
        }
        // Each cell's middle has about the color that half blocks give it.
        for y in stride(from: 1, to: picture.rect.height - 1, by: 3) {
            for x in stride(from: 1, to: picture.rect.width - 1, by: 3) {
                let shown = picture.raster[
                    (2 * x + 1) * picture.raster.width / (2 * picture.rect.width),
                    (2 * y + 1) * picture.raster.height / (2 * picture.rect.height)]
                let cell = cells[picture.rect.x + x, picture.rect.y + y].style
                #expect(
                    min(
                        abs(shown.luma - cell.background.luma),
                        cell.foreground.isStandard ? 1 : abs(shown.luma - cell.foreground.luma)) < 0.2)
            }
        }
        scene.press(Key(.escape), .character("?"))
        #expect(scene.state.overlay != nil && scene.canvas.pictures.isEmpty)
    }
}
