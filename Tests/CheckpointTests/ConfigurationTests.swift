import Checkpoint
import Foundation
import TestSupport
import Testing

@Suite struct ConfigurationTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func configuration(_ text: String) throws -> ModelConfiguration {
        _ = try folder.write(text, to: "config.json")
        return try ModelConfiguration(folder: folder.url.path)
    }

    @Test func typedValues() throws {
        let main = try configuration(
            """
            {"d_model": 512, "big": 1000000000000000019884624838656, "eps": 1e-5, "whole": 3.0, "name": "x\\u00e9\\ud83d\\ude00",
             "flag": true, "nothing": null, "ids": [1, 2], "one": 7, "heads": [[1, 2], [3, 4]], "inf": [0.0, Infinity, NaN],
             "text_config": {"hidden_size": 64, "wrong": "x"}}
            """
        ).main
        #expect(try main.int("d_model") == 512)
        #expect(try main.int("whole") == 3)
        #expect(try main.double("eps") == 1e-5)
        #expect(try main.double("d_model") == 512)
        #expect(try main.double("big") == 1000000000000000019884624838656)
        #expect(try main.string("name") == "xé😀")
        #expect(try main.bool("flag"))
        #expect(!main.has("nothing"))
        #expect(try main.int("nothing", default: 4) == 4)
        #expect(try main.ints("ids") == [1, 2])
        #expect(try main.ints("one") == [7])
        #expect(try main.intLists("heads") == [[1, 2], [3, 4]])
        let values = try main.doubles("inf")
        #expect(values[1] == .infinity && values[2].isNaN)
        #expect(try main.object("text_config").int("hidden_size") == 64)
    }

    @Test func complaintsNameFileAndKey() throws {
        let main = try configuration(#"{"a": "x", "ids": [1, "2"], "sub": {"b": []}, "n": null}"#).main
        func complaint(_ body: () throws -> Void) -> String {
            do { try body() } catch { return "\(error)" }
            return "nothing thrown"
        }
        let absent = complaint { _ = try main.int("layers") }
        #expect(absent.hasSuffix("config.json: the key \"layers\" is missing"))
        #expect(complaint { _ = try main.int("n") }.contains("missing"))
        #expect(complaint { _ = try main.int("a") }.hasSuffix("\"a\" should be an integer, but is a string"))
        #expect(complaint { _ = try main.int("a", default: 1) }.contains("should be an integer"))
        #expect(complaint { _ = try main.ints("ids") }.contains("\"ids\" should be a list of integers"))
        #expect(
            complaint { _ = try main.object("sub").int("b") }.contains("\"sub.b\" should be an integer, but is a list"))
        #expect(complaint { _ = try main.object("sub").object("c") }.contains("\"sub.c\" is missing"))
        #expect(complaint { _ = try main.object("a") }.contains("should be an object"))
    }

    @Test(arguments: [
        "", "{", "{\"a\":}", "{\"a\":1,}", "[1]", "{\"a\":01}", "{\"a\":1.}", "{\"a\":\"\u{1}\"}", "{\"a\":\"\\x\"}",
        "{} x",
        "{\"a\":1,\"a\":2}", "{\"a\":tru}", "{\"a\":-}", "{\"a\":1e}", "{\"a\" 1}", "{a:1}", "\u{FEFF}{}",
    ])
    func garbageIsRefused(text: String) throws {
        #expect { try configuration(text) } throws: { $0 is CheckpointError && "\($0)".contains("config.json") }
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
            #expect(try main.string("torch_dtype") == "bfloat16")
            let rotary = try main.rotary()
            #expect(rotary.theta == 5000)
            #expect(rotary.type == "linear")
            #expect(try rotary.parameters.int("factor") == 2)
        }
        let none = try configuration("{}").main
        #expect(try none.rotary(defaultTheta: 500_000).theta == 500_000)
        #expect(try none.rotary().type == "default")
        #expect(try none.elementFormat() == nil)
        #expect(throws: CheckpointError.self) { try configuration(#"{"dtype": "int3"}"#).main.elementFormat() }
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
