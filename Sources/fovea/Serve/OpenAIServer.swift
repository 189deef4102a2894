import Compute
import Foundation
import Generation
import JSON
import Media
import Server
import Support

/// OpenAI's HTTP interface to one model: finds the endpoint of a request and turns errors into answers.
final class OpenAIServer: Sendable {
    let model: ServedModel
    let queue: FairQueue
    let metrics = ServerMetrics()
    let options: Options

    struct Options: Sendable {
        /// Folder for attention of format `file`; nil where that is off.
        var attentionFolder: String?
        /// Folder for inputs while they are read.
        var scratchFolder: String
        var mostPictures: Int
        var mostTokens: Int?
        var waiting: Int
    }

    let created = Int(Date().timeIntervalSince1970)

    init(_ model: ServedModel, options: Options) {
        self.model = model
        self.options = options
        queue = FairQueue(limit: options.waiting)
    }

    private typealias Endpoint = @Sendable (HTTPRequest, ResponseWriter) async throws -> Void

    private var endpoints: [String: (method: String, run: Endpoint)] {
        [
            "/": (
                "GET", { $1.send(AttentionPage.html, type: "text/html; charset=utf-8", headers: AttentionPage.headers) }
            ),
            "/health": ("GET", { $1.send("{\"status\":\"ok\"}") }),
            "/metrics": (
                "GET",
                { [self] in
                    $1.send(metrics.text(memory: model.memory(), queue: queue), type: "text/plain; version=0.0.4")
                }
            ),
            "/v1/models": ("GET", { [self] in try listModels($1) }),
            "/v1/chat/completions": ("POST", { [self] in try await TextEndpoint(self, .chat).run($0, $1) }),
            "/v1/completions": ("POST", { [self] in try await TextEndpoint(self, .completion).run($0, $1) }),
            "/v1/audio/transcriptions": (
                "POST", { [self] in try await SpeechEndpoint(self, task: .transcribe).run($0, $1) }
            ),
            "/v1/audio/translations": (
                "POST", { [self] in try await SpeechEndpoint(self, task: .translate).run($0, $1) }
            ),
        ]
    }

    /// Answers a request.
    func handle(_ request: HTTPRequest, _ writer: ResponseWriter) async {
        guard let endpoint = endpoints[request.path] else {
            metrics.request("other", status: 404)
            return writer.send(ServerError(404, "there is no such address here", code: "not_found"))
        }
        guard request.method == endpoint.method else {
            metrics.request(request.path, status: 405)
            return writer.send(ServerError(405, "this address takes \(endpoint.method)", code: "method_not_allowed"))
        }
        do {
            try await endpoint.run(request, writer)
            metrics.request(request.path, status: 200)
        } catch is CancellationError {
            // The client has gone, or the server stops.
            metrics.request(request.path, status: 499)
            fail(ServerError(503, "stopped", code: "stopping"), writer)
        } catch {
            let error = Self.refusal(of: error)
            metrics.request(request.path, status: error.status)
            fail(error, writer)
        }
    }

    private func fail(_ error: ServerError, _ writer: ResponseWriter) {
        guard writer.hasStarted else { return writer.send(error) }
        // The status is out: the stream of events says it.
        writer.event(error.json)
        writer.end()
    }

    /// The error as the client gets it: what it can change is its own error, everything else the server's.
    private static func refusal(of error: any Error) -> ServerError {
        switch error {
        case let error as ServerError: error
        case is JSONError, is GenerationError, is MediaError, is ProgramError: ServerError(400, ErrorText.line(error))
        default: ServerError(500, ErrorText.line(error))
        }
    }

    private struct ModelList: Encodable {
        struct Entry: Encodable {
            let id: String
            let object = "model"
            let created: Int
            let ownedBy = "fovea"
            let family: String
            let inputs: [String]
            let contextLength: Int
            let attentionKind: String
            let attentionLayers: [Int]
            let attentionHeads: Int
        }
        let object = "list"
        let data: [Entry]
    }

    private func listModels(_ writer: ResponseWriter) throws {
        let abilities = model.abilities
        let entry = ModelList.Entry(
            id: model.name, created: created, family: abilities.family,
            inputs: abilities.inputs.map(\.rawValue).sorted(), contextLength: abilities.contextLength,
            attentionKind: abilities.shownAttention.rawValue, attentionLayers: abilities.attentionLayers,
            attentionHeads: abilities.attentionHeads)
        writer.send(try JSONOutput.text(ModelList(data: [entry]), pretty: false))
    }

    /// Refuses requests for another model.
    func check(model name: String?) throws(ServerError) {
        guard let name, !name.isEmpty, name != model.name else { return }
        throw ServerError(
            404, "the model \(printable(name)) is not here; this server has \(model.name)", parameter: "model",
            code: "model_not_found")
    }

    /// Runs `body` with a place for inputs, when it is the client's turn.
    func turn(_ client: String, _ body: (InputScratch) async throws -> Void) async throws {
        let folder = options.scratchFolder + "/\(UUID().uuidString)"
        let clock = ContinuousClock()
        let start = clock.now
        try await queue.run(for: client) {
            let waited = start.duration(to: clock.now)
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try await body(InputScratch(folder: folder))
            metrics.waited(waited / .seconds(1))
        }
    }

    /// Answers with the model and counts it.
    func answer(
        _ request: GenerationRequest, _ attention: AttentionRequest?, into collector: AnswerCollector,
        emit: @escaping @Sendable (AnswerCollector.Piece) throws -> Void
    ) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        defer {
            metrics.answer(
                promptTokens: collector.summary?.promptTokens ?? 0, tokens: collector.whole.tokens.count,
                seconds: start.duration(to: clock.now) / .seconds(1))
        }
        try await model.answer(request, capture: attention?.capture) { event in
            let piece = try collector.take(event)
            if !piece.isEmpty { try emit(piece) }
        }
    }
}
