import Compute
import Models
import TestSupport
import Testing

@testable import Planning

@Suite("plans") struct PlannerTests {
    private let target = PlanTarget(name: "a device", memory: 1 << 30, isUnified: true)

    @Test("picture sizes are two sides with an x between") func pictureSizes() {
        #expect(PictureSize("640x480") == PictureSize(width: 640, height: 480))
        #expect(PictureSize("1024×768") == PictureSize(width: 1024, height: 768))
        for text in ["336", "0x5", "9999999x5", "3x", "x", "axb", "1x2x3"] { #expect(PictureSize(text) == nil) }
    }

    @Test(
        "figures are those of the list that loading allocates from", .enabled(if: Fixtures.available),
        arguments: ["whisper-80", "llava", "gpt2", "mllama"])
    func figures(name: String) throws {
        let files = try ModelFiles(path: Fixtures.model(name).path)
        let planner = Planner(files, on: target)
        let found = try planner.plan(PlanRequest(model: name), alternatives: true)
        let model = try ModelRegistry.make(from: files)
        let total = model.plannedBuffers(unifiedMemory: true).reduce(0) { $0 + $1.bytes }
        #expect(found.total == total && found.context ?? 0 > 0 && found.bytesPerToken == model.bytesPerToken)
        #expect(found.buffers?.reduce(0) { $0 + $1.bytes } == total)
        #expect(found.contexts.first { $0.context == found.context }?.total == total)
        // Fewer bits, less memory.
        let sizes = ["f32", "f16"].compactMap { format in found.formats.first { $0.name == format }?.weights }
        #expect(sizes.count == 2 && sizes[0] > sizes[1])
        let half = try planner.plan(PlanRequest(model: name, weights: .f16))
        #expect(half.total == found.formats.first { $0.name == "f16" }?.total)
        let picture = PlanRequest(model: name, pictures: [PictureSize(width: 640, height: 480)])
        if let reader = model.pictureReader {
            let found = try planner.plan(picture), read = try #require(found.pictures.first)
            let layout = try reader.imageProcessor(of: files).layout(width: 640, height: 480)
            #expect(read.tiles == layout.tiles.count && read.tokens == reader.pictureTokens(for: layout))
            #expect(found.total == total + reader.pictureBuffers(for: layout).reduce(0) { $0 + $1.bytes })
        } else {
            #expect(throws: PlanningError.self) { try planner.plan(picture) }
        }
        if name.hasPrefix("whisper") {
            #expect(throws: PlanningError.self) { try planner.plan(PlanRequest(model: name, context: 1 << 20)) }
        }
    }

    @Test("suggestions fit, and are there only where something is to be suggested", .enabled(if: Fixtures.available))
    func suggestions() throws {
        let files = try ModelFiles(path: Fixtures.model("llama").path)
        let whole = try Planner(files, on: target).plan(PlanRequest(model: "llama"))
        #expect(whole.fits && whole.suggestions.isEmpty)
        let small = PlanTarget(name: "small", memory: whole.total - 1, isUnified: true)
        let tight = try Planner(files, on: small).plan(PlanRequest(model: "llama"))
        #expect(!tight.fits && !tight.suggestions.isEmpty)
        for suggestion in tight.suggestions {
            let request = PlanRequest(model: "llama", context: suggestion.context, weights: suggestion.weights)
            let followed = try Planner(files, on: small).plan(request)
            #expect(followed.fits && followed.total == suggestion.total)
        }
    }
}
