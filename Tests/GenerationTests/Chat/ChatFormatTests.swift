import Foundation
import Models
import TestSupport
import Testing
import Tokenization

@testable import Generation

@Suite("Chat formats") struct ChatFormatTests {
    /// A checkpoint's template, and what transformers makes of conversations with it (`Golden/make_renderings.py`).
    struct Case: Decodable, Sendable, CustomTestStringConvertible {
        struct Message: Decodable, Sendable {
            let role: ChatRole
            let text: String
            let pictures: Int
        }
        struct Rendering: Decodable, Sendable {
            let messages: [Message]
            let addsGenerationPrompt: Bool
            /// `nil` where the template refuses the conversation.
            let text: String?
        }
        let format: String
        let checkpoint: String
        let template: String
        let bos: String
        let eos: String
        let renderings: [Rendering]

        var testDescription: String { checkpoint }
    }

    private struct File: Decodable {
        let cases: [Case]
    }

    static let cases: [Case] = {
        let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Golden/renderings.json")
        guard let data = try? Data(contentsOf: url), let file = try? JSONDecoder().decode(File.self, from: data) else {
            return []
        }
        return file.cases
    }()

    /// The 31st of December 2024, at noon where we are.
    private static let date: Date = {
        var parts = DateComponents()
        (parts.year, parts.month, parts.day, parts.hour) = (2024, 12, 31, 12)
        return Calendar(identifier: .gregorian).date(from: parts) ?? Date()
    }()

    private func template(_ item: Case) -> ChatTemplate {
        let tokens = ["bos_token": item.bos, "eos_token": item.eos].filter { !$0.value.isEmpty }
        return ChatTemplate(file: "tokenizer_config.json", source: item.template, tokens: tokens)
    }

    private func messages(_ rendering: Case.Rendering) -> [ChatMessage] {
        rendering.messages.map { message in
            ChatMessage(message.role, message.text, pictures: (0..<message.pictures).map { "\($0).png" })
        }
    }

    @Test func thereAreRenderings() { #expect(Self.cases.count >= 28) }

    @Test("to the character what transformers renders", arguments: cases)
    func equalTransformers(_ item: Case) throws {
        let format = try ChatFormat(template(item))
        for rendering in item.renderings {
            let messages = messages(rendering)
            func render() throws -> String {
                try format.render(messages, addingGenerationPrompt: rendering.addsGenerationPrompt, date: Self.date)
            }
            if let text = rendering.text {
                let found = try render()
                #expect(
                    found.unicodeScalars.elementsEqual(text.unicodeScalars),
                    "\(found.debugDescription), expected \(text.debugDescription)")
            } else {
                #expect(throws: GenerationError.self) { try render() }
            }
        }
    }

    @Test("formats taken by name write what their best-known template writes")
    func byName() throws {
        let plain: [String: String] = [
            "chatml": "OpenHermes-2.5", "llama2": "Llama-2-chat", "llama3": "Meta-Llama-3-Instruct",
            "llama3.1": "Llama-3.2-Instruct",
            "mllama": "Llama-3.2-Vision-Instruct", "vicuna": "llava-1.5-hf", "smolvlm": "SmolVLM-Instruct",
            "mistral": "Mistral-7B-Instruct-v0.2, first edition", "mistral-v3": "Mistral-7B-Instruct-v0.3",
            "gemma": "gemma-2-it",
            "gemma3": "gemma-3-it", "phi3": "Phi-3-mini", "zephyr": "zephyr-7b-beta",
        ]
        #expect(Set(plain.keys) == Set(ChatFormat.names))
        for (name, checkpoint) in plain {
            let item = try #require(Self.cases.first { $0.checkpoint == checkpoint })
            let format = try ChatFormat.named(name)
            for rendering in item.renderings {
                guard rendering.addsGenerationPrompt, let text = rendering.text,
                    !rendering.messages.contains(where: { $0.role == .assistant })
                else { continue }
                let found = try format.render(messages(rendering), addingGenerationPrompt: true, date: Self.date)
                #expect(found == text, "\(name)")
            }
        }
        let error = #expect(throws: GenerationError.self) { try ChatFormat.named("klingon") }
        #expect(error.map { "\($0)".contains("--chat-format") && "\($0)".contains("chatml") } == true)
    }

    @Test(
        "templates that cannot be read are refused by name",
        arguments: [
            "{{ 'unclosed", "{% for", "{#", "{{ '\\", "{% include 'x' %}", String(repeating: "{{ x }}", count: 100_000),
            String(repeating: "{% if x %}", count: 1000),
        ])
    func damaged(_ text: String) throws {
        let error = #expect(throws: GenerationError.self) {
            try ChatFormat(ChatTemplate(file: "tokenizer_config.json", source: text, tokens: [:]))
        }
        #expect(error.map { "\($0)" }?.contains("tokenizer_config.json: chat template, line 1") == true)
        #expect(error.map { "\($0)" }?.contains("--chat-format") == true)
    }

    @Test("templates that fail or never end are errors of the conversation")
    func failing() throws {
        func error(_ text: String) throws -> String? {
            let format = try ChatFormat(ChatTemplate(file: "a.gguf", source: text, tokens: [:]))
            let error = #expect(throws: GenerationError.self) {
                try format.render([ChatMessage(.user, "Hi")], addingGenerationPrompt: true)
            }
            return error.map { "\($0)" }
        }
        let refusal = try error("{{ raise_exception('Not this.') }}")
        #expect(refusal == "the chat template in a.gguf refuses this conversation: Not this.")
        #expect(try error("\n{{ messages + 1 }}")?.contains("a.gguf: chat template, line 2, operator +") == true)
        let endless = "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"
        #expect(try error(endless)?.contains("nested more than") == true)
    }

    @Test("an answer ends where the template goes on")
    func ends() throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.packageRoot.appending(path: "assets/models/fovea-scenes"))
        func ends(_ template: String) throws -> (tokens: Set<Int>, strings: [String]) {
            try ChatFormat(ChatTemplate(file: "a", source: template, tokens: [:])).ends(tokenizer)
        }
        let end = try #require(tokenizer.id(of: "<|im_end|>"))
        let byToken = try ends("{% for m in messages %}{{ m.role + ': ' + m.content + '<|im_end|>\n' }}{% endfor %}")
        #expect(byToken.tokens == [end] && byToken.strings.isEmpty)
        let byText = try ends("{% for m in messages %}{{ m.role | upper + ': ' + m.content + '\n' }}{% endfor %}")
        #expect(byText.tokens.isEmpty && byText.strings == ["USER:"])
        let named = try ChatFormat.named("vicuna").ends(tokenizer)
        #expect(named.strings.contains("USER:"))
    }

    // MARK: Text and tokens

    @Test("what people write stays content")
    func segments() throws {
        let text = try ChatFormat.named("chatml").text([ChatMessage(.user, "<|im_end|>")], addingGenerationPrompt: true)
        #expect(text.segments.map(\.isMarkup) == [true, false, true])
        #expect(text.segments[1].text == "<|im_end|>")
    }

    @Test(
        "special tokens in people's text are characters; the rest is encoded as a whole",
        .enabled(if: Fixtures.available),
        arguments: ["smolvlm", "llava", "llama3", "mllama"])
    func tokens(_ name: String) throws {
        let tokenizer = try Tokenizer(contentsOf: Fixtures.model(name))
        let specials = (0..<200_000).filter(tokenizer.isSpecial).compactMap { id in tokenizer.piece(id).map { (id, $0) }
        }
        for (id, piece) in specials {
            let pieces = [
                (text: piece + "user\n", isMarkup: true), (text: "\nso \(piece) it", isMarkup: false),
                (text: " is" + piece, isMarkup: true),
            ]
            let ids = tokenizer.encode(pieces, addSpecialTokens: false)
            #expect(ids.filter { $0 == id }.count == 2 && ids.first == id && ids.last == id, "\(piece)")
        }
        // Without special tokens in the content, where the pieces end makes no difference.
        let (begin, whole) = (specials.first?.1 ?? "", "user\n\n Hello, world ")
        for cut in 0...whole.count {
            let pieces = [
                (text: begin, isMarkup: true), (text: String(whole.prefix(cut)), isMarkup: true),
                (text: String(whole.dropFirst(cut)), isMarkup: false),
            ]
            #expect(tokenizer.encode(pieces) == tokenizer.encode(begin + whole))
        }
    }

    @Test(
        "a checkpoint on this machine is recognized by its own template",
        .enabled(if: Fixtures.realModel("smollm2-135m-instruct") != nil))
    func smolLM2() throws {
        let folder = try #require(Fixtures.realModel("smollm2-135m-instruct"))
        let file = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).first { $0.hasSuffix(".gguf") })
        let format = try ChatFormat(from: ModelFiles(path: folder.appending(path: file).path))
        #expect(
            try format.render([ChatMessage(.user, "Hi")], addingGenerationPrompt: true).contains(
                "Hi<|im_end|>\n<|im_start|>assistant\n"))
    }

    @Test("templates are found where checkpoints keep them")
    func files() throws {
        let folder = try TemporaryFolder()
        let item = try #require(Self.cases.first { $0.checkpoint == "zephyr-7b-beta" })
        func quoted(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }
        _ = try folder.write("{\"model_type\": \"llama\"}", to: "config.json")
        // The smallest file of weights there can be.
        _ = try folder.write([2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8), to: "model.safetensors")
        let files = try ModelFiles(path: folder.url.path)
        let none = #expect(throws: GenerationError.self) { try ChatFormat(from: files) }
        #expect(none.map { "\($0)".contains("there is no chat template") && "\($0)".contains("--chat-format") } == true)

        let chatML = try quoted(
            "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}{% endfor %}"
        )
        _ = try folder.write(
            "{\"eos_token\": {\"content\": \"<e>\"}, \"chat_template\": [{\"name\": \"tool_use\", \"template\": \"x\"}, {\"name\": \"default\", \"template\": \(try quoted(item.template))}]}",
            to: "tokenizer_config.json")
        func rendered() throws -> String {
            try ChatFormat(from: files).render([ChatMessage(.user, "Hi")], addingGenerationPrompt: false)
        }
        #expect(try rendered() == "<|user|>\nHi<e>\n")
        _ = try folder.write("{\"chat_template\": \(chatML)}", to: "chat_template.json")
        #expect(try rendered() == "<|im_start|>user\nHi<|im_end|>\n")
        _ = try folder.write(item.template, to: "chat_template.jinja")
        #expect(try rendered() == "<|user|>\nHi<e>\n")
    }
}
