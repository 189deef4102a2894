import Foundation
import Models
import TestSupport
import Testing
import Tokenization

@testable import Generation

@Suite("Chat formats") struct ChatFormatTests {
    /// A checkpoint's template, and what transformers makes of conversations with it (`Chat/make_renderings.py`).
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
        let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Chat/renderings.json")
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
        ChatTemplate(item.template, file: "tokenizer_config.json", bos: item.bos, eos: item.eos)
    }

    private func messages(_ rendering: Case.Rendering) -> [ChatMessage] {
        rendering.messages.map { message in
            ChatMessage(message.role, message.text, pictures: (0..<message.pictures).map { "\($0).png" })
        }
    }

    @Test func thereAreRenderings() { #expect(Self.cases.count >= 28) }

    @Test("recognized, and to the character what transformers renders", arguments: cases)
    func equalTransformers(_ item: Case) throws {
        let format = try ChatFormat.recognized(template(item))
        #expect(format.name == item.format)
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
        #expect(Set(plain.keys) == Set(ChatFormat.all.map(\.name)))
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
        "templates of other kinds are not taken for one of these",
        arguments: [
            "", "{{ messages }}", "{% for m in messages %}{{ m.content }}{% endfor %}", "{{ 'unclosed", "{% for", "{#",
            "{{ '\\",
            "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}{% endfor %}{% if enable_thinking %}{% endif %}",
            String(repeating: "{{«[INST]", count: 100_000),
            "{% for message in messages %}{{ '[gMASK]<sop><|' + message['role'] + '|>\n' + message['content'] }}{% endfor %}",
        ])
    func unknown(_ text: String) throws {
        let error = #expect(throws: GenerationError.self) {
            try ChatFormat.recognized(ChatTemplate(text, file: "tokenizer_config.json", bos: "<s>", eos: "</s>"))
        }
        #expect(error.map { "\($0)".contains("--chat-format") && "\($0)".contains("tokenizer_config.json") } == true)
    }

    @Test("white space in templates is Jinja's")
    func normalForm() {
        func form(_ text: String) -> String { TemplateLexer(text).normalForm() }
        #expect(form("a\n  {% if x %}\n b {{ y }}\n{%- endif %}\n") == "a\n{%if x%} b {{y}}{%endif%}")
        #expect(
            form("{{ 'a' + \"b\\n\" + m.role }}{# c #}\n {%- set q = 'it\\'s' -%}  \n z")
                == "{{«ab\n»+m[«role»]}}{%set q=«it's»%}z")
        #expect(form("{{ m['x'].strip() if not loop.first }}") == "{{m[«x»].strip()if not loop[«first»]}}")
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
        let specials = tokenizer.specialIDs.compactMap { id in tokenizer.piece(id).map { (id, $0) } }
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
        let format = try ChatFormat.recognized(in: ModelFiles(path: folder.appending(path: file).path))
        #expect(format.name == "chatml")
        #expect(
            try format.render([ChatMessage(.user, "Hi")], addingGenerationPrompt: true).contains(
                "Hi<|im_end|>\n<|im_start|>assistant\n"))
    }

    @Test("templates are found where checkpoints keep them")
    func files() throws {
        let folder = try TemporaryFolder()
        let item = try #require(Self.cases.first { $0.format == "zephyr" })
        func quoted(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }
        _ = try folder.write("{\"model_type\": \"llama\"}", to: "config.json")
        // The smallest file of weights there can be.
        _ = try folder.write([2, 0, 0, 0, 0, 0, 0, 0] + Array("{}".utf8), to: "model.safetensors")
        let files = try ModelFiles(path: folder.url.path)
        let none = #expect(throws: GenerationError.self) { try ChatFormat.recognized(in: files) }
        #expect(none.map { "\($0)".contains("there is no chat template") && "\($0)".contains("--chat-format") } == true)

        let chatML = try quoted(
            "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n'}}{% endfor %}"
        )
        _ = try folder.write(
            "{\"eos_token\": {\"content\": \"<e>\"}, \"chat_template\": [{\"name\": \"tool_use\", \"template\": \"x\"}, {\"name\": \"default\", \"template\": \(try quoted(item.template))}]}",
            to: "tokenizer_config.json")
        #expect(
            try ChatFormat.recognized(in: files).render([ChatMessage(.user, "Hi")], addingGenerationPrompt: false)
                == "<|user|>\nHi<e>\n")
        _ = try folder.write("{\"chat_template\": \(chatML)}", to: "chat_template.json")
        #expect(try ChatFormat.recognized(in: files).name == "chatml")
        _ = try folder.write(item.template, to: "chat_template.jinja")
        #expect(try ChatFormat.recognized(in: files).name == "zephyr")
    }
}
