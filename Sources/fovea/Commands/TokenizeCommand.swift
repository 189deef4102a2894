import ArgumentParser
import Checkpoint
import Foundation
import Generation
import Models
import Support
import Tokenization

/// `fovea tokenize`: text to token ids and back.
struct TokenizeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize", abstract: "Print the token ids a model reads for a text, or the text of token ids.")

    @OptionGroup var model: ModelArgument

    @Argument(help: "The text.")
    var text: String?

    @Option(
        name: .long, help: ArgumentHelp("Print the text of these ids instead.", valueName: "1,2,3"),
        transform: IDList.parse)
    var decode: [Int]?

    @Flag(name: .long, help: "Treat the text as a message and apply the model's chat format.")
    var chat = false

    @Option(
        name: .long,
        help: ArgumentHelp("Chat format for --chat, instead of the one in the model's files.", valueName: "name")
    )
    var chatFormat: String?

    @Option(name: .long, help: ArgumentHelp("The system message of --chat.", valueName: "text"))
    var system: String?

    @Flag(name: .customLong("text"), help: "Print the text that --chat renders instead of its tokens.")
    var printsText = false

    @Flag(name: .long, help: "Leave out the special tokens that the tokenizer adds, or those in decoded text.")
    var noSpecial = false

    @Flag(name: .long, help: "Print each token on a line, with its vocabulary entry.")
    var pieces = false

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if text == nil, decode == nil { throw ValidationError("Missing expected argument '<text>' (or --decode)") }
        if chat, text == nil { throw ValidationError("--chat needs a text") }
        for (name, isGiven) in [
            ("--chat-format", chatFormat != nil), ("--system", system != nil), ("--text", printsText),
        ] where isGiven && !chat {
            throw ValidationError("\(name) belongs to --chat")
        }
        if chat, noSpecial { throw ValidationError("--chat and --no-special exclude each other") }
        if text != nil, decode != nil { throw ValidationError("A text and --decode exclude each other") }
    }

    private struct Token: Encodable {
        let id: Int
        let piece: String
    }

    func run() async throws {
        let path = try model.location().path
        let tokenizer = try Self.tokenizer(path)
        if let decode {
            let text = tokenizer.decode(decode, skipSpecialTokens: noSpecial)
            try output.json ? JSONOutput.print(["text": text]) : Console.writeLine(Sanitizer.stream.text(text))
            return
        }
        let ids: [Int]
        if chat {
            let format = try chatFormat.map(ChatFormat.named) ?? ChatFormat(from: ModelFiles(path: path))
            let messages = (system.map { [ChatMessage(.system, $0)] } ?? []) + [ChatMessage(.user, text ?? "")]
            let rendered = try format.text(messages, addingGenerationPrompt: true)
            if printsText {
                let text = rendered.string
                try output.json ? JSONOutput.print(["text": text]) : Console.writeLine(Sanitizer.stream.text(text))
                return
            }
            ids = rendered.tokens(tokenizer)
        } else {
            ids = tokenizer.encode(text ?? "", addSpecialTokens: !noSpecial)
        }
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

    /// The tokenizer of a model; its weights need not be there, unless one file holds both.
    private static func tokenizer(_ path: String) throws -> Tokenizer {
        do {
            return try Tokenizer(contentsOf: URL(filePath: path))
        } catch {
            // A path without tokenizer files may be a file, or a folder with a file, that contains a vocabulary.
            guard let files = try? ModelFiles(path: path),
                files.checkpoint.gguf != nil || files.checkpoint.whisper != nil
            else { throw error }
            return try Tokenizer(files)
        }
    }
}
