import Foundation
import Generation
import JSON
import Support

/// One row of a batch file: `{"custom_id": …, "prompt": …, "image": …}`, or a body of OpenAI's batch API.
struct BatchRow: Sendable {
    /// Names the row's tensors, and the shard it belongs to.
    let identifier: String
    private let reader: JSONReader

    static let longestIdentifier = 512

    /// A row that cannot be read, with the name it is recorded under.
    struct Unreadable: Error {
        let identifier: String
        let problem: String
    }

    /// - Parameter number: of the line, from 1; it names rows without a `custom_id` in the index of failures.
    init(_ line: String, number: Int, file: String) throws(Unreadable) {
        let fallback = "line-\(number)"
        do {
            reader = try JSONReader(parsing: Array(line.utf8), file: "\(file), line \(number)").object()
            identifier = try reader.string("custom_id")
        } catch {
            throw Unreadable(identifier: fallback, problem: ErrorText.line(error))
        }
        if identifier.isEmpty || identifier.utf8.count > Self.longestIdentifier {
            throw Unreadable(
                identifier: fallback,
                problem: "custom_id: \(identifier.utf8.count) bytes; possible are 1 to \(Self.longestIdentifier)")
        }
    }

    /// The input of the row's trace.
    /// - Parameters:
    ///   - model: the MODEL argument, for messages.
    ///   - folder: folder of the batch file, which relative paths start from.
    ///   - scratch: takes pictures and sound that the row itself holds.
    func input(model: String, folder: String, scratch: InputScratch) throws -> TraceInput {
        var input = TraceInput(model: model)
        let body = try reader.objectIfPresent("body") ?? reader
        if let method = try reader.stringIfPresent("method"), method != "POST" {
            throw reader.wrongType(expected: "the method POST", actual: Sanitizer.stream.line(method))
        }
        func file(_ text: String) throws -> String { try scratch.path(text, folder: folder) }
        input.prompt = try body.stringIfPresent("prompt")
        if let ids = try body.memberIfPresent("ids") { input.ids = try ids.ints() }
        if let ids = try body.memberIfPresent("decoder_ids") { input.decoderIds = try ids.ints() }
        for name in ["image", "images"] {
            guard let member = try body.memberIfPresent(name) else { continue }
            let paths = member.value.stringValue.map { [$0] } ?? member.value.stringArray
            guard let paths else { throw member.wrongType(expected: "a path or a list of paths") }
            input.images += try paths.map(file)
        }
        input.audio = try body.stringIfPresent("audio").map(file)
        if let language = try body.stringIfPresent("language") {
            guard let code = LanguageCode(argument: language) else {
                throw body.wrongType(expected: "a language", actual: Sanitizer.stream.line(language))
            }
            input.language = code.code
        }
        if let task = try body.stringIfPresent("task") {
            guard let task = SpeechTask(rawValue: task) else {
                throw body.wrongType(expected: "transcribe or translate", actual: Sanitizer.stream.line(task))
            }
            input.task = task
        }
        input.sourceLanguage = try body.stringIfPresent("source_language")
        input.targetLanguage = try body.stringIfPresent("target_language")
        if let messages = try body.memberIfPresent("messages") {
            let read = try OpenAIMessages.read(messages, file: file)
            input.messages = read.messages
            input.audio = read.sound ?? input.audio
        }
        return input
    }

    /// Largest number of tokens that the row asks for; nil for the batch's own.
    func maximumTokens() throws -> Int? {
        let body = try reader.objectIfPresent("body") ?? reader
        let count = try body.intIfPresent("max_tokens") ?? body.intIfPresent("max_completion_tokens")
        if let count, count < 1 { throw body.wrongType(expected: "max_tokens of at least 1", actual: "\(count)") }
        return count
    }
}
