import Foundation
import Testing

@testable import JSON

@Suite struct JSONReaderTests {
    private func read(_ text: String, duplicateKeys: JSONParser.DuplicateKeys = .refused) throws -> JSONReader {
        try JSONReader(parsing: Array(text.utf8), file: "folder/config.json", duplicateKeys: duplicateKeys)
    }

    @Test func typedValues() throws {
        let main = try read(
            """
            {"d_model": 512, "big": 1000000000000000019884624838656, "eps": 1e-5, "whole": 3.0, "name": "x\\u00e9\\ud83d\\ude00",
             "flag": true, "nothing": null, "ids": [1, 2], "one": 7, "heads": [[1, 2], [3, 4]], "inf": [0.0, Infinity, NaN],
             "text_config": {"hidden_size": 64, "wrong": "x"}}
            """
        )
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
        let values = try main.member("inf").doubles()
        #expect(values[1] == .infinity && values[2].isNaN)
        #expect(try main.object("text_config").int("hidden_size") == 64)
    }

    @Test func complaintsNameFileAndKey() throws {
        let main = try read(#"{"a": "x", "ids": [1, "2"], "sub": {"b": []}, "n": null}"#)
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
        #expect { try read(text).object() } throws: { $0 is JSONError && "\($0)".contains("config.json") }
    }

    @Test func theDocumentAndElementsAreNamed() throws {
        #expect { try read("[]").int("a") } throws: {
            "\($0)".contains("the document should be an object, but is a list")
        }
        let list = try read(#"{"a": [{"b": 1}, {"b": "x"}]}"#).member("a").elements()
        #expect(try list[0].int("b") == 1)
        #expect { try list[1].int("b") } throws: { "\($0)".contains("\"a[1].b\" should be an integer") }
    }

    @Test func absentObjectsHaveADefault() throws {
        let file = try read(#"{"a": {"b": {}}}"#)
        #expect { try file.object("c", default: [:]).int("d") } throws: { "\($0)".contains("\"c.d\" is missing") }
        #expect(try file.object("c", default: ["d": .integer(3)]).int("d") == 3)
        #expect(try file.object("a").path(of: "b") == "a.b")
    }

    @Test func filesThatAreNoFiles() throws {
        #expect { try JSONReader(contentsOf: "/nowhere/config.json") } throws: {
            "\($0)" == "cannot read /nowhere/config.json: No such file or directory"
        }
        let pipe = FileManager.default.temporaryDirectory.appending(path: "pipe-\(UUID().uuidString)").path
        #expect(mkfifo(pipe, 0o600) == 0)
        defer { unlink(pipe) }
        for path in [pipe, "/", "/dev/zero"] {
            #expect { try JSONReader(contentsOf: path) } throws: { "\($0)".contains("not a regular file") }
        }
    }
}
