import Checkpoint
import Foundation
import JSON
import TestSupport
import Testing

/// `fovea serve`, with the models that come with Fovea.
@Suite(.serialized, .enabled(if: Program.isBuilt, "the program is not built"))
struct ServeTests {
    private static let home = try? TemporaryFolder()

    private static func asset(_ name: String) -> String {
        Fixtures.packageRoot.appending(path: "assets/models/\(name)").path
    }

    private func serve(_ arguments: String..., environment: [String: String] = [:]) async throws -> ServedProgram {
        try await ServedProgram(arguments, home: #require(Self.home), environment: environment)
    }

    private func floats(_ layer: JSONReader) throws -> [Float] {
        let data = try #require(Data(base64Encoded: layer.string("data")))
        return data.withUnsafeBytes { buffer in
            (0..<buffer.count / 4).map { buffer.loadUnaligned(fromByteOffset: $0 * 4, as: Float.self) }
        }
    }

    @Test func attentionToAPictureIsThatOfTrace() async throws {
        let model = Self.asset("fovea-scenes"), folder = try TemporaryFolder()
        let picture = try Data(contentsOf: URL(filePath: model + "/sample.png")).base64EncodedString()
        let messages: [[String: Any]] = [
            [
                "role": "user",
                "content": [
                    ["type": "image_url", "image_url": ["url": "data:image/png;base64," + picture]],
                    ["type": "text", "text": "What is in the picture?"],
                ],
            ]
        ]
        let row = try JSONSerialization.data(withJSONObject: ["custom_id": "a", "body": ["messages": messages]])
        let rows = try folder.write(row, to: "rows.jsonl"), out = folder.path("out")
        let traced = try await Program.run(
            ["trace", model, "--batch", rows, "--out", out, "--max-tokens", "8", "--dtype", "f32"], home: Self.home)
        #expect(traced.code == 0, "\(traced.words)")
        let golden = try Checkpoint.open(out + "/shard-00000-of-00001.safetensors")

        let files = folder.path("files")
        // Traces are computed with f32 keys and values.
        let server = try await serve(model, "--attention-folder", files, "--kv", "f32")
        var request: [String: Any] = [
            "model": "fovea-scenes", "messages": messages, "max_tokens": 8, "logprobs": true, "top_logprobs": 3,
            "attention": ["format": "base64", "dtype": "f32"],
        ]
        let answer = try await server.post("/v1/chat/completions", request)
        #expect(answer.status == 200, "\(answer.body)")
        let choice = try #require(try answer.json().member("choices").elements().first)
        let content = try choice.object("message").string("content")
        #expect(!content.isEmpty)
        let probabilities = try choice.object("logprobs").member("content").elements()
        let steps = try choice.object("attention").member("steps").elements()
        #expect(steps.count == probabilities.count && steps.count > 2)
        var compared = 0
        for (index, step) in steps.enumerated() {
            #expect(try step.int("index") == index)
            #expect(try probabilities[index].member("top_logprobs").elements().count == 3)
            for layer in try step.member("layers").elements() {
                #expect(try floats(layer) == golden.floats("a/" + layer.string("name")))
                compared += 1
            }
        }
        #expect(compared >= 2 * steps.count)
        let grid = try #require(
            try choice.object("attention").object("geometry").member("pictures").elements().first)
        #expect(try grid.int("width") > 0 && !grid.member("rows").elements().isEmpty)

        // The stream says the same, piece by piece.
        request["stream"] = true
        request["attention"] = ["reduce": "mean-heads", "k": 4, "layers": "all"]
        let stream = try await server.post("/v1/chat/completions", request)
        #expect(stream.status == 200 && stream.head.contains("text/event-stream") && stream.events.last == "[DONE]")
        let choices = try stream.events.dropLast().map {
            try #require(
                try JSONReader(parsing: Array($0.utf8), file: "an event").member("choices").elements().first)
        }
        #expect(try choices.map { try $0.object("delta").string("content", default: "") }.joined() == content)
        let streamed = try choices.flatMap {
            try $0.objectIfPresent("attention")?.memberIfPresent("steps")?.elements() ?? []
        }
        #expect(streamed.count == steps.count)
        for step in streamed {
            for layer in try step.member("layers").elements() {
                #expect(try layer.ints("shape") == [1, 1, 4] && layer.ints("keys").count == 4)
            }
        }
        #expect(
            try choices.last?.string("finish_reason") == "stop" || choices.last?.string("finish_reason") == "length")

        // vLLM's names, and a file.
        request["stream"] = false
        request["attention"] = nil
        request["attn_capture"] = 1
        request["attn_capture_layers"] =
            "\(try steps[0].member("layers").elements()[0].string("name").split(separator: ".").last ?? "")"
        let alias = try #require(
            try await server.post("/v1/chat/completions", request).json().member("choices").elements().first)
        let aliased = try alias.member("attn_capture_data").elements()
        #expect(aliased.count == steps.count)
        #expect(try aliased[0].member("layers").elements().count == 1)
        request["attention"] = ["format": "file"]
        let stored = try #require(
            try await server.post("/v1/chat/completions", request).json().member("choices").elements().first)
        let file = try Checkpoint.open(stored.object("attention").string("file"))
        #expect(
            try file.floats("step0.\(steps[0].member("layers").elements()[0].string("name").dropFirst(6))").count > 0)
        let end = await server.stop()
        #expect(end.code == 128 + SIGTERM && end.left.isEmpty)
    }

    @Test func whatIsWrongWithARequestIsSaid() async throws {
        let server = try await serve(Self.asset("fovea-fra-eng"), "--max-body", "1", "--max-pictures", "0")
        let chat = "/v1/chat/completions"
        let hello: [[String: Any]] = [["role": "user", "content": "Le chat est petit."]]
        let bodies: [(Data, Int, String)] = try [
            (Data("{\"messages\": [".utf8), 400, "not JSON"),
            (Data("[]".utf8), 400, "an object"), (Data([0xff, 0x00]), 400, "not JSON"),
            (Data(String(repeating: "[", count: 100_000).utf8), 400, "nested"),
            (Data("{}".utf8), 400, "messages"),
            (JSONSerialization.data(withJSONObject: ["model": "gpt-4", "messages": hello]), 404, "gpt-4"),
            (JSONSerialization.data(withJSONObject: ["messages": hello, "n": 2]), 400, "one answer"),
            (JSONSerialization.data(withJSONObject: ["messages": hello, "max_tokens": -1]), 400, "at least 1"),
            (JSONSerialization.data(withJSONObject: ["messages": hello, "temperature": -1]), 400, "temperature"),
            (
                JSONSerialization.data(withJSONObject: ["messages": hello, "tools": [["type": "function"]]]), 400,
                "tools"
            ),
            (
                JSONSerialization.data(withJSONObject: ["messages": hello, "attention": ["kinds": ["vision"]]]), 400,
                "self or cross"
            ),
            (
                JSONSerialization.data(withJSONObject: ["messages": hello, "attention": ["layers": [99]]]), 400,
                "layers should be"
            ),
            (
                JSONSerialization.data(withJSONObject: ["messages": hello, "attention": ["format": "file"]]), 400,
                "--attention-folder"
            ),
            (
                JSONSerialization.data(withJSONObject: [
                    "messages": [
                        ["role": "user", "content": [["type": "image_url", "image_url": ["url": "/etc/passwd"]]]]
                    ]
                ]), 400, "data:"
            ),
            (
                JSONSerialization.data(withJSONObject: [
                    "messages": [
                        [
                            "role": "user",
                            "content": [["type": "image_url", "image_url": ["url": "data:image/png;base64,AAAA"]]],
                        ]
                    ]
                ]), 400, "possible are 0"
            ),
            (Data(repeating: 0x20, count: (1 << 20) + 1), 413, "larger"),
        ]
        for (body, status, words) in bodies {
            let answer = try await server.post(chat, body)
            let error = try answer.json().object("error")
            #expect(answer.status == status, "\(answer.body)")
            #expect(try error.string("message").contains(words), "\(answer.body)")
            #expect(!(try error.string("type").isEmpty))
        }
        #expect(try await server.get("/nothing").status == 404)
        #expect(try await server.get(chat).status == 405)
        #expect(try await server.post("/v1/audio/transcriptions", ["file": "x"]).status == 400)
        #expect(try await server.get("/health", headers: ["Host: evil.example"]).status == 403)
        #expect(try await server.post(chat, [:], headers: ["Origin: http://evil.example"]).status == 403)
        #expect(try await server.send("no request\r\n\r\n").status == 400)

        let metrics = try await server.get("/metrics")
        #expect(metrics.body.contains("fovea_memory_bytes{purpose=\"weights.decoder\"} "))
        #expect(metrics.body.contains("fovea_requests_total{path=\"/v1/chat/completions\",status=\"400\"} "))
        let page = try await server.get("/")
        #expect(page.status == 200 && page.body.hasPrefix("<!doctype html>"))
        #expect(page.head.contains("default-src 'none'") && !page.body.contains("http"))
        let models = try #require(try await server.get("/v1/models").json().member("data").elements().first)
        #expect(try models.string("id") == "fovea-fra-eng" && models.string("attention_kind") == "cross")
        #expect(await server.stop().code == 128 + SIGTERM)
    }

    @Test func aTokenGuardsOtherAddresses() async throws {
        let model = Self.asset("fovea-fra-eng")
        let refused = try await Program.run("serve", model, "--host", "0.0.0.0", "--port", "0", home: Self.home)
        #expect(refused.code == 1 && refused.words.contains("FOVEA_TOKEN"))
        let short = try await Program.run(
            "serve", model, "--port", "0", home: Self.home, environment: ["FOVEA_TOKEN": "short"])
        #expect(short.code == 1 && short.words.contains("at least 16"))

        let secret = "a-secret-of-some-length"
        let server = try await serve(model, "--host", "0.0.0.0", environment: ["FOVEA_TOKEN": secret])
        let request: [String: Any] = ["prompt": "Le chat est petit.", "max_tokens": 8, "logprobs": 2]
        for wrong in [[], ["Authorization: Bearer a-secret-of-some-lengtH"], ["Authorization: Basic \(secret)"]] {
            let answer = try await server.post("/v1/completions", request, headers: wrong)
            #expect(answer.status == 401)
            #expect(try answer.json().object("error").string("code") == "invalid_api_key")
        }
        #expect(try await server.get("/health").status == 200)
        let right = ["Authorization: Bearer \(secret)"]
        let answer = try await server.post("/v1/completions", request, headers: right)
        #expect(answer.status == 200, "\(answer.body)")
        let choice = try #require(try answer.json().member("choices").elements().first)
        #expect(!(try choice.string("text").isEmpty))
        let tokens = try choice.object("logprobs").member("tokens").strings()
        #expect(try answer.json().object("usage").int("completion_tokens") == tokens.count)
        #expect(await server.stop().code == 128 + SIGTERM)
    }

    /// Clients that behave badly, and others that get right answers all the same.
    @Test func badClientsDisturbNobody() async throws {
        let server = try await serve(Self.asset("fovea-fra-eng"), "--max-waiting", "64")
        let animals = ["chat", "chien", "cheval", "lapin"]
        func request(_ animal: String, stream: Bool = false) -> [String: Any] {
            [
                "messages": [["role": "user", "content": "Le \(animal) est petit."]], "stream": stream,
                "max_tokens": 12, "attention": ["k": 4], "user": animal,
            ]
        }
        func content(_ answer: ServedProgram.Answer) throws -> String {
            try answer.json().member("choices").elements()[0].object("message").string("content")
        }
        var expected: [String: String] = [:]
        for animal in animals {
            expected[animal] = try content(await server.post("/v1/chat/completions", request(animal)))
        }
        #expect(Set(expected.values).count > 1)
        let answers = expected
        let before = server.residentBytes
        let failures = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<24 {
                let animal = animals[client % animals.count], kind = client % 6
                let body = try JSONSerialization.data(withJSONObject: request(animal, stream: kind == 1))
                let head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                group.addTask {
                    switch kind {
                    case 0:
                        // Half a body, and gone.
                        _ = try? await server.send(
                            Array("\(head)\(body.count)\r\n\r\n".utf8) + body.dropLast(9), reading: 0)
                    case 1:
                        // Gone in the middle of the stream, or before.
                        _ = try? await server.send(
                            Array("\(head)\(body.count)\r\n\r\n".utf8) + body, reading: client % 12 == 1 ? 0 : 200)
                    case 2:
                        _ = try? await server.send(
                            Array("\(head)100000000\r\n\r\n".utf8) + [UInt8](repeating: 0x20, count: 1 << 20))
                    default:
                        let answer = try await server.post("/v1/chat/completions", body)
                        guard answer.status == 200, try content(answer) == answers[animal] else { return 1 }
                    }
                    return 0
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(failures == 0)
        #expect(try content(await server.post("/v1/chat/completions", request("chat"))) == answers["chat"])
        #expect(server.residentBytes - before < 128 << 20)
        let end = await server.stop()
        #expect(end.code == 128 + SIGTERM && end.left.isEmpty)
    }

    @Test(.needsLargeFixtures) func recordingsAreTranscribed() async throws {
        let server = try await serve(Fixtures.model("whisper-80").path)
        for format in ["json", "text", "srt", "vtt", "verbose_json"] { try await transcribe(format, server) }
        #expect(await server.stop().code == 128 + SIGTERM)
    }

    private func transcribe(_ format: String, _ server: ServedProgram) async throws {
        let sound = try Data(contentsOf: Fixtures.models.appending(path: "inputs/audio.wav"))
        var body = Data()
        let fields = [
            ("model", "whisper-80"), ("response_format", format), ("timestamp_granularities[]", "word"),
            ("language", "en"),
            // One temperature: random weights fail every check, and would be tried again and again.
            ("temperature", "0.1"),
        ]
        for (name, value) in fields {
            body += Data("--bound\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n".utf8)
        }
        body += Data("--bound\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\r\n".utf8)
        let type = "multipart/form-data; boundary=bound"
        let answer = try await server.post(
            "/v1/audio/transcriptions", body + sound + Data("\r\n--bound--\r\n".utf8), type: type)
        #expect(answer.status == 200, "\(answer.body)")
        switch format {
        case "json": _ = try answer.json().string("text")
        case "verbose_json":
            #expect(try answer.json().has("words") && !answer.json().has("segments"))
            #expect(try answer.json().double("duration") > 0)
        case "vtt": #expect(answer.body.hasPrefix("WEBVTT"))
        default: #expect(answer.head.contains("text/plain"))
        }
        #expect(try await server.post("/v1/audio/transcriptions", body + sound, type: type).status == 400)
        #expect(try await server.post("/v1/audio/transcriptions", body, type: "text/plain").status == 400)
    }

    /// The examples in `assets/python`, with the stock client.
    @Test(
        .enabled(
            if: ProcessInfo.processInfo.environment["FOVEA_TEST_PYTHON"] != nil,
            "FOVEA_TEST_PYTHON names no Python with openai, safetensors and matplotlib"))
    func theExamplesInPythonRun() async throws {
        let python = try #require(ProcessInfo.processInfo.environment["FOVEA_TEST_PYTHON"])
        let folder = try TemporaryFolder(), examples = Fixtures.packageRoot.appending(path: "assets/python").path
        func run(_ arguments: [String], _ server: ServedProgram) async throws -> (code: Int32, output: String) {
            let output = try folder.write("", to: UUID().uuidString), words = folder.path("words")
            let child = try ChildProcess(
                [python] + arguments,
                environment: Program.clean(
                    home: folder.url.path, ["FOVEA_URL": "http://localhost:\(server.port)", "FOVEA_TOKEN": "none"]),
                output: output, words: words)
            let code = await child.ended().code
            let text = try String(contentsOfFile: code == 0 ? output : words, encoding: .utf8)
            return (code, text)
        }
        let translator = try await serve(Self.asset("fovea-fra-eng"))
        let asked = try await run(["\(examples)/ask.py", "Le chat est petit."], translator)
        #expect(asked.code == 0 && asked.output.contains("chat"), "\(asked.output)")
        _ = await translator.stop()

        let model = Self.asset("fovea-scenes"), map = folder.path("map.png")
        let scenes = try await serve(model, "--attention-folder", folder.path("attention"))
        let drawn = try await run(
            ["\(examples)/heat_map.py", model + "/sample.png", "What is in the picture?", map], scenes)
        #expect(drawn.code == 0, "\(drawn.output)")
        #expect(try Data(contentsOf: URL(filePath: map)).starts(with: [0x89, 0x50, 0x4e, 0x47]))
        _ = await scenes.stop()
    }
}
