import Checkpoint
import Foundation
import JSON
import TestSupport
import Testing

/// `fovea trace --batch` and `--worker`, with the models that come with Fovea.
@Suite(.serialized, .enabled(if: Program.isBuilt, "the program is not built"))
struct BatchTests {
    private static let home = try? TemporaryFolder()
    private static let translator = asset("fovea-fra-eng"), scenes = asset("fovea-scenes")

    private static func asset(_ name: String) -> String {
        Fixtures.packageRoot.appending(path: "assets/models/\(name)").path
    }

    private func batch(_ rows: [[String: Any]], extra: String = "", in folder: TemporaryFolder) throws -> String {
        let lines = try rows.map {
            String(decoding: try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys), as: UTF8.self)
        }
        return try folder.write(lines.joined(separator: "\n") + "\n" + extra, to: "rows.jsonl")
    }

    private func sentences(_ count: Int) -> [[String: Any]] {
        let animals = ["chat", "chien", "cheval", "lapin", "coq"]
        return (0..<count).map {
            ["custom_id": "row/\($0) é", "prompt": "Le \(animals[$0 % animals.count]) est petit \($0)."]
        }
    }

    private func trace(
        _ arguments: String..., input: String = "/dev/null", environment: [String: String] = [:],
        interruptAfter: Double? = nil, signal: Int32 = SIGINT
    ) async throws -> Program.Outcome {
        try await Program.run(
            ["trace"] + arguments, home: Self.home, environment: environment, input: input,
            interruptAfter: interruptAfter, interruptSignal: signal)
    }

    private func lines(_ path: String) throws -> [JSONReader] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
            try JSONReader(parsing: Array($0.utf8), file: path)
        }
    }

    @Test func shardsHoldTheAttentionOfSingleTraces() async throws {
        let folder = try TemporaryFolder(), out = folder.path("out")
        let rows = try batch(
            sentences(6) + [["custom_id": "empty"], sentences(1)[0]], extra: "{no json\n", in: folder)
        for shard in ["0/2", "1/2"] {
            let outcome = try await trace(
                Self.translator, "--batch", rows, "--out", out, "--shard", shard, "--max-tokens", "8", "--dtype", "f32")
            #expect(outcome.code == 0, "\(outcome.words)")
            #expect(outcome.words.contains("rows in shard-0000"))
        }
        let status = try await trace("--status", out)
        #expect(
            status.output.contains("2 of 2 shards done") && status.output.contains("8 rows done, of which 2 failed"))
        #expect(try await trace("--merge", out).code == 0)

        let records = try lines(out + "/manifest.jsonl")
        #expect(records.count == 8)
        var compared = 0
        for line in records {
            let record = try line.object("record"), identifier = try record.string("custom_id")
            if identifier == "empty" || identifier == "line-9" {
                #expect(record.has("error"))
                continue
            }
            let shard = try Checkpoint.open(out + "/" + line.string("file"))
            let number = try #require(Int(identifier.dropFirst(4).prefix { $0.isNumber }))
            guard number < 2 else { continue }
            let single = folder.path("single-\(number).safetensors")
            let prompt = try #require(sentences(6)[number]["prompt"] as? String)
            _ = try await trace(Self.translator, "--prompt", prompt, "--out", single, "--max-tokens", "8")
            let golden = try Checkpoint.open(single)
            let generated = try golden.integers("generated_ids"), source = try golden.integers("input_ids")
            #expect(try record.ints("tokens") == generated)
            #expect(try record.ints("source_tokens") == source)
            #expect(try record.ints("offsets").count == generated.count)
            for tensor in try record.member("tensors").elements() {
                let name = try tensor.string("name")
                let expected = try lastRow(golden, name)
                #expect(try shard.floats("\(identifier)/\(name)") == expected)
                compared += 1
            }
        }
        #expect(compared >= 2 * 2 * 8)
    }

    /// The last query's row of a tensor `[heads, queries, keys]`.
    private func lastRow(_ checkpoint: Checkpoint, _ name: String) throws -> [Float] {
        let shape = try checkpoint.entry(name).shape, values = try checkpoint.floats(name)
        return (0..<shape[0]).flatMap { head in
            let start = (head * shape[1] + shape[1] - 1) * shape[2]
            return values[start..<start + shape[2]]
        }
    }

    @Test(arguments: [SIGKILL, SIGTERM]) func aStoppedRunGoesOnBehindTheLastRow(_ signal: Int32) async throws {
        let folder = try TemporaryFolder()
        let rows = try batch(sentences(30), in: folder)
        let whole = folder.path("whole"), stopped = folder.path("stopped")
        let options = ["--max-tokens", "10", "--reduce", "topk:3"]
        func run(_ out: String, interruptAfter: Double? = nil) async throws -> Program.Outcome {
            try await Program.run(
                ["trace", Self.translator, "--batch", rows, "--out", out] + options, home: Self.home,
                interruptAfter: interruptAfter, interruptSignal: signal)
        }
        #expect(try await run(whole).code == 0)
        var interrupted = 0
        for attempt in 0..<40 {
            let outcome = try await run(stopped, interruptAfter: 1 + 0.2 * Double(attempt))
            if outcome.code == 0 { break }
            // A signal that comes before the program listens ends it at once.
            if signal == SIGTERM { #expect(outcome.code == 128 + SIGTERM || outcome.signal == SIGTERM) }
            interrupted += 1
        }
        #expect(interrupted > 0, "the run was never interrupted")
        for out in [whole, stopped] { #expect(try await trace("--merge", out).code == 0) }
        for name in ["manifest.jsonl", "manifest.json", "shard-00000-of-00001.safetensors"] {
            #expect(
                FileManager.default.contentsEqual(atPath: whole + "/" + name, andPath: stopped + "/" + name),
                "\(name) differs")
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: stopped)
        #expect(left.count == 6, "\(left)")
    }

    @Test func reductionsKeepWhatTheyName() async throws {
        let folder = try TemporaryFolder()
        let rows = try batch(sentences(1), in: folder)
        func shard(_ name: String, _ options: String...) async throws -> Checkpoint {
            let outcome = try await Program.run(
                ["trace", Self.translator, "--batch", rows, "--out", folder.path(name), "--max-tokens", "3"] + options,
                home: Self.home)
            #expect(outcome.code == 0, "\(outcome.words)")
            return try Checkpoint.open(folder.path(name) + "/shard-00000-of-00001.safetensors")
        }
        let name = "row/0 é/step2.cross.1"
        let full = try await shard("full", "--dtype", "f32")
        let values = try full.floats(name), shape = try full.entry(name).shape
        let (heads, keys) = (shape[0], shape[2])
        #expect(shape[1] == 1)

        let mean = try await shard("mean", "--dtype", "f32", "--reduce", "mean-heads")
        #expect(try mean.entry(name).shape == [1, keys])
        for (key, value) in try mean.floats(name).enumerated() {
            let expected = (0..<heads).reduce(Float(0)) { $0 + values[$1 * keys + key] } / Float(heads)
            #expect(abs(value - expected) < 1e-6)
        }
        let peak = try await shard("peak", "--dtype", "f32", "--reduce", "pointing", "--heads", "2,0")
        #expect(try peak.entry(name).shape == [2, 1])
        for (place, head) in [2, 0].enumerated() {
            let row = values[head * keys..<(head + 1) * keys]
            #expect(try peak.floats(name)[place] == row.max())
            let key = try peak.integers(name + ".keys")[place]
            #expect(row[row.startIndex + key] == row.max())
        }
        let bytes = try await shard("bytes", "--dtype", "u8")
        let scales = try bytes.floats(name + ".scale"), quantized = try bytes.integers(name)
        for (index, value) in values.enumerated() {
            let scale = scales[index / keys]
            #expect(abs(Float(quantized[index]) / 255 * scale - value) <= scale / 510 + 1e-6)
        }
        let wrong = try await trace(
            Self.translator, "--batch", rows, "--out", folder.path("full"), "--max-tokens", "4")
        #expect(wrong.code == 1 && wrong.words.contains("other options"))
    }

    @Test func aPictureInABodyOfTheBatchInterfaceIsPlaced() async throws {
        let folder = try TemporaryFolder()
        let picture = try Data(contentsOf: URL(filePath: Self.scenes + "/sample.png"))
        let content: [[String: Any]] = [
            ["type": "image_url", "image_url": ["url": "data:image/png;base64," + picture.base64EncodedString()]],
            ["type": "text", "text": "What is in the picture?"],
        ]
        let rows = try batch(
            [
                [
                    "custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
                    "body": ["max_tokens": 4, "messages": [["role": "user", "content": content]]],
                ]
            ], in: folder)
        let outcome = try await trace(
            Self.scenes, "--batch", rows, "--out", folder.path("out"),
            environment: [
                "SLURM_ARRAY_TASK_ID": "0", "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_ARRAY_TASK_MIN": "0",
                "SLURM_ARRAY_TASK_MAX": "2",
            ])
        #expect(outcome.code == 0, "\(outcome.words)")
        let status = try await trace("--status", folder.path("out"))
        #expect(status.output.contains("1 of 3 shards done"))
        let index = (0..<3).map { folder.path("out/shard-0000\($0)-of-00003.jsonl") }
        // The row's shard is chosen by its name; the array's other tasks are run, too.
        for task in 1..<3 {
            _ = try await trace(
                Self.scenes, "--batch", rows, "--out", folder.path("out"),
                environment: ["SLURM_ARRAY_TASK_ID": "\(task)"])
        }
        let records = try index.flatMap(lines)
        let record = try #require(records.first)
        #expect(records.count == 1 && !record.has("error"))
        #expect(try record.ints("tokens").count == 4)
        let geometry = try #require(try record.member("pictures").elements().first)
        let width = try geometry.double("width")
        let parts = try geometry.member("rows").elements()
        #expect(!parts.isEmpty)
        for part in parts {
            let box = try part.doubles("box", default: [])
            #expect(box[0] >= 0 && box[0] < box[2] && box[2] <= width + 1e-6)
        }
    }

    @Test func aWorkerAnswersLineByLine() async throws {
        let folder = try TemporaryFolder()
        let rows = try batch(
            [["custom_id": "../../a", "prompt": "Bonjour."], ["custom_id": "none"]], extra: "[1]\n", in: folder)
        let outcome = try await trace(
            Self.translator, "--worker", "--out", folder.path("out"), "--max-tokens", "3", input: rows)
        #expect(outcome.code == 0, "\(outcome.words)")
        let answers = try outcome.output.split(separator: "\n").map {
            try JSONReader(parsing: Array($0.utf8), file: "output")
        }
        #expect(answers.count == 3)
        let file = try answers[0].string("file")
        #expect(file == folder.path("out") + "/row-%2e%2e%2f%2e%2e%2fa.safetensors")
        #expect(try Checkpoint.open(file).names.contains("../../a/step0.cross.0"))
        for answer in answers[1...] { #expect(try answer.object("record").has("error")) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("out")).count == 1)
    }

    @Test(arguments: [
        ["--batch", "x", "--worker"], ["--shard", "0/2"], ["--shard", "2/2", "--batch", "x"], ["--heads", "1"],
        ["--batch", "x", "--prompt", "y"], ["--reduce", "topk:0", "--batch", "x"],
    ]) func wrongOptionsAreRefused(_ options: [String]) async throws {
        let outcome = try await Program.run(["trace", Self.translator, "--out", "o"] + options, home: Self.home)
        #expect(outcome.code == 2)
    }
}
