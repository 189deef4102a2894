import ArgumentParser
import Foundation
import Tokenization

/// `fovea tokenize`: text to token ids.
struct TokenizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Print the token ids a model reads for a text.")

    @OptionGroup var model: ModelArgument

    @Argument(help: "The text.")
    var text: String

    @Flag(name: .long, help: "Without the special tokens that the tokenizer puts around a text.")
    var noSpecial = false

    @Flag(name: .long, help: "Each token on a line, with its piece of the vocabulary.")
    var pieces = false

    @OptionGroup var output: OutputOptions

    private struct Token: Encodable {
        let id: Int
        let piece: String
    }

    func run() async throws {
        let tokenizer = try Tokenizer(contentsOf: URL(filePath: try model.path()))
        let ids = tokenizer.encode(text, addSpecialTokens: !noSpecial)
        let tokens = ids.map { Token(id: $0, piece: tokenizer.piece($0) ?? "") }
        if output.json {
            try JSONOutput.print(tokens)
        } else if pieces {
            var table = TextTable(("", .right), ("", .left))
            for token in tokens { table.add("\(token.id)", token.piece) }
            if !table.isEmpty { try Console.writeLine(table.text) }
        } else {
            try Console.writeLine(ids.map(String.init).joined(separator: " "))
        }
    }
}
