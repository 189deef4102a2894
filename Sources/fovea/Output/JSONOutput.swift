import Foundation

/// Output of `--json`: snake_case keys, sorted, so that two runs can be compared line by line.
enum JSONOutput {
    /// One document.
    static func print(_ value: some Encodable) throws {
        try Console.writeLine(text(value, pretty: true))
    }

    /// One object on one line, for streams.
    static func printLine(_ value: some Encodable) throws {
        try Console.writeLine(text(value, pretty: false))
    }

    static func text(_ value: some Encodable, pretty: Bool) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting =
            pretty ? [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes] : [.sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}
