import Checkpoint
import Foundation
import JSON
import TestSupport
import Testing

@Suite struct ConfigurationTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func configuration(_ text: String) throws -> ModelConfiguration {
        _ = try folder.write(text, to: "config.json")
        return try ModelConfiguration(folder: folder.url.path)
    }

    @Test func anAbsentConfigurationIsNamed() {
        #expect { try ModelConfiguration(folder: folder.url.path) } throws: {
            "\($0)".contains("config.json: No such file")
        }
    }

    @Test func bothSpellingsOfTransformers() throws {
        let four = try configuration(
            """
            {"torch_dtype": "bfloat16", "rope_theta": 5000.0, "rope_scaling": {"type": "linear", "factor": 2}}
            """
        ).main
        let five = try configuration(
            """
            {"dtype": "bfloat16", "rope_parameters": {"rope_theta": 5000.0, "rope_type": "linear", "factor": 2}}
            """
        ).main
        for main in [four, five] {
            #expect(try main.elementFormat() == .bf16)
            let rotary = try main.rotary()
            #expect(rotary.theta == 5000)
            #expect(rotary.type == "linear")
            #expect(try rotary.parameters.int("factor") == 2)
        }
        let none = try configuration("{}").main
        #expect(try none.rotary(defaultTheta: 500_000).theta == 500_000)
        #expect(try none.rotary().type == "default")
        #expect(try none.elementFormat() == nil)
        #expect(throws: JSONError.self) { try configuration(#"{"dtype": "int3"}"#).main.elementFormat() }
    }

    @Test(.enabled(if: Fixtures.available), arguments: ["llama", "llama3", "mllama"])
    func fixturesSayTheSameInBothSpellings(name: String) throws {
        let folder = Fixtures.model(name).path
        let five = try ModelConfiguration(folder: folder).main
        let four = try ModelConfiguration(folder: folder, config: "config.v4.json").main
        let (a, b) = try name == "mllama" ? (five.object("text_config"), four.object("text_config")) : (five, four)
        #expect(try a.rotary().theta == b.rotary().theta)
        #expect(try a.rotary().type == b.rotary().type)
        #expect(try five.elementFormat() == four.elementFormat())
    }

    @Test(.enabled(if: Fixtures.available)) func fixtureFilesAreFound() throws {
        let whisper = try ModelConfiguration(folder: Fixtures.model("whisper-80").path)
        #expect(whisper.modelType == "whisper")
        #expect(try whisper.generation.intLists("alignment_heads") == [[0, 1], [1, 0], [1, 2]])
        #expect(try whisper.preprocessor.int("hop_length") == 160)
        let t5 = try ModelConfiguration(folder: Fixtures.model("t5").path)
        #expect(t5.preprocessor.members.isEmpty)
        #expect(try ModelConfiguration(folder: Fixtures.model("llava").path).preprocessor.has("image_mean"))
    }

    @Test func preprocessorInsideProcessorConfiguration() throws {
        _ = try folder.write(#"{"image_processor": {"size": 5}}"#, to: "processor_config.json")
        let configuration = try configuration("{}")
        #expect(try configuration.preprocessor.int("size") == 5)
    }
}
