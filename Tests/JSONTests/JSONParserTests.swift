import JSON
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String, _ duplicateKeys: JSONParser.DuplicateKeys = .refused) throws -> JSONValue {
        try JSONParser.parse(Array(text.utf8), duplicateKeys: duplicateKeys)
    }

    @Test func integersAndFractionsStayApart() throws {
        #expect(
            try parse("[10, 10.0, 1e1, -0, 9223372036854775807, 9223372036854775808]")
                == .array([
                    .integer(10), .number(10), .number(10), .integer(0), .integer(.max), .number(0x1p63),
                ]))
        #expect(JSONValue.integer(10) != .number(10))
    }

    @Test func keysKeepTheirOrder() throws {
        let object = try #require(parse(#"{"b": 1, "a": 2, "c": {"z": 0, "y": 0}}"#).objectValue)
        #expect(object.keys == ["b", "a", "c"])
        #expect(object["c"]?.objectValue?.keys == ["z", "y"])
    }

    @Test func keysAreBytes() throws {
        let object = try #require(parse("{\"\u{E9}\": 1, \"e\u{301}\": 2}", .lastCounts).objectValue)
        #expect(object.count == 2 && object["\u{E9}"] == .integer(1) && object["e\u{301}"] == .integer(2))
    }

    @Test func repeatedKeys() throws {
        #expect { try parse(#"{"a": 1, "b": 2, "a": 3}"#) } throws: {
            "\($0)" == "the key \"a\" occurs twice at byte 17"
        }
        let object = try #require(parse(#"{"a": 1, "a": 3}"#, .lastCounts).objectValue)
        #expect(object["a"] == .integer(3) && object.count == 2)
    }

    @Test func errorsNameTheByte() {
        for (text, problem) in [
            ("nonsense", "unexpected character at byte 0"), (#"{"a" 1}"#, "a colon is missing at byte 5"),
            ("[1,", "the document ends too early at byte 3"),
            ("[1] x", "something follows the end of the document at byte 4"),
        ] {
            #expect { try parse(text) } throws: { "\($0)" == problem }
        }
    }

    @Test(arguments: [#""\ud800""#, #""\udc00""#, #""\ud800x""#, #""\ud800\u0041""#]) func halfPairsAreRefused(
        text: String
    ) {
        #expect { try parse(text) } throws: { "\($0)".contains("half a surrogate pair") }
    }

    @Test func nestingIsBounded() {
        for text in [String(repeating: "[", count: 1_000_000), String(repeating: #"{"a":"#, count: 100_000)] {
            #expect { try parse(text) } throws: { "\($0)".contains("nested more than 128 deep") }
        }
    }

    @Test func objectsAreEditedAndCompared() throws {
        var object: JSONObject = ["a": .integer(1), "b": .null]
        object["b"] = nil
        object["c"] = .bool(true)
        #expect(object == ["c": .bool(true), "a": .integer(1)])
        #expect(object.merging(["a": .integer(2), "d": .null]).keys == ["a", "c", "d"])
        #expect(object.merging(["a": .integer(2)])["a"] == .integer(2))
        #expect(Set([object, ["c": .bool(true), "a": .integer(1)]]).count == 1)
    }
}
