import Planning
import Server
import Synchronization

/// Counts of the server, in the text form of Prometheus.
final class ServerMetrics: Sendable {
    private struct Counts {
        var requests: [String: Int] = [:]
        var promptTokens = 0
        var tokens = 0
        var answerSeconds = 0.0
        var waitSeconds = 0.0
        var answers = 0
    }

    private let counts = Mutex(Counts())

    func request(_ path: String, status: Int) {
        counts.withLock { $0.requests["path=\"\(path)\",status=\"\(status)\"", default: 0] += 1 }
    }

    func waited(_ seconds: Double) { counts.withLock { $0.waitSeconds += seconds } }

    func answer(promptTokens: Int, tokens: Int, seconds: Double) {
        counts.withLock {
            $0.answers += 1
            $0.promptTokens += promptTokens
            $0.tokens += tokens
            $0.answerSeconds += seconds
        }
    }

    func text(memory: MemoryReport, queue: FairQueue) -> String {
        let counts = counts.withLock { $0 }
        var lines: [String] = []
        func metric(_ name: String, _ kind: String, _ help: String, _ values: [(labels: String, value: String)]) {
            lines += ["# HELP fovea_\(name) \(help)", "# TYPE fovea_\(name) \(kind)"]
            lines += values.map { "fovea_\(name)\($0.labels.isEmpty ? "" : "{\($0.labels)}") \($0.value)" }
        }
        metric(
            "requests_total", "counter", "Answered requests.",
            counts.requests.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") })
        metric("answers_total", "counter", "Answers of the model.", [("", "\(counts.answers)")])
        metric("prompt_tokens_total", "counter", "Tokens of prompts.", [("", "\(counts.promptTokens)")])
        metric("tokens_total", "counter", "Tokens that the model wrote.", [("", "\(counts.tokens)")])
        metric("answer_seconds_total", "counter", "Seconds of computing answers.", [("", "\(counts.answerSeconds)")])
        metric("wait_seconds_total", "counter", "Seconds that requests waited.", [("", "\(counts.waitSeconds)")])
        metric("requests_waiting", "gauge", "Requests that wait for the model.", [("", "\(queue.waiting)")])
        metric("model_busy", "gauge", "1 while the model answers.", [("", queue.isBusy ? "1" : "0")])
        metric(
            "memory_bytes", "gauge", "Device memory by purpose.",
            memory.byPurpose.sorted { $0.key.rawValue < $1.key.rawValue }.map {
                ("purpose=\"\($0.key.rawValue)\"", "\($0.value)")
            })
        metric("memory_heap_bytes", "gauge", "Size of the device's memory.", [("", "\(memory.heapSize)")])
        return lines.joined(separator: "\n") + "\n"
    }
}
