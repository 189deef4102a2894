import Checkpoint
import Foundation
import JSON
import TestSupport
import Testing

@testable import Models
@testable import Transformer

/// Models in the dialects of other programs, as their files are on disk: equal to PyTorch's values.
@Suite("files of Ollama and candle against PyTorch", .usesDevice, .needsLargeFixtures, .serialized)
struct OllamaFilesTests {
    /// The blobs of a model in the fixture's Ollama store.
    private func files(_ name: String) throws -> ModelFiles {
        let store = Fixtures.model("stores")
        let expected = try JSONReader(contentsOf: store.appending(path: "expected.json").path)
        let model = try #require(
            try expected.object("ollama").member("models").elements().first { try $0.string("name") == name })
        let blobs = try model.object("files")
        func path(_ layer: String) throws -> String? {
            try blobs.stringIfPresent(layer).map { store.appending(path: "ollama").appending(path: $0).path }
        }
        return try ModelFiles(path: #require(try path("model")), projector: path("projector"))
    }

    @Test("Llama 3.2 Vision in one file, and with the tower in a file of its own", arguments: ["11b", "11b-old"])
    func mllama(tag: String) throws {
        let files = try files("tiny-mllama:\(tag)")
        let model = try #require(try ModelRegistry.make(from: files) as? Mllama)
        let golden = try Fixtures.golden("mllama")
        try model.load(from: files, on: TestDevice.open()) { _, _ in }
        var compared: Set<String> = []
        for run in try #require(golden.meta["prompts"]?.objectValue).keys.sorted() {
            let names = try #require(golden.meta["prompts"]?[run]?["images"]?.stringArray)
            let pictures = try names.map {
                try PictureFixtures.picture($0.replacingOccurrences(of: ".png", with: ""), golden, model, files)
            }
            var comparison = TraceComparison(golden: golden, prefix: "\(run)/")
            var options = TraceOptions()
            options.maximumTokens = try golden.shape("\(run)/greedy")[0]
            try model.trace(.pictures(pictures), prompt: golden.integers("\(run)/input_ids"), options: options) {
                // Heads and rows of queries and keys are in another order, what they give is not.
                try comparison.check($0, as: $0.name == "generated_ids" ? "greedy" : nil)
            }
            compared.formUnion(comparison.compared)
        }
        #expect(PictureFixtures.computed(golden).subtracting(compared).sorted() == [])
    }

    @Test("a text model without its tower says so")
    func towerIsMissing() throws {
        let files = try files("tiny-mllama:11b-old")
        #expect { try ModelRegistry.make(from: ModelFiles(path: files.path)) } throws: { "\($0)".contains("--mmproj") }
    }
}
