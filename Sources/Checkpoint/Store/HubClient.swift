import JSON
import Foundation

/// Speaks with a model hub: the protocol of huggingface.co, which mirrors speak too.
struct HubClient: Sendable {
    /// `HF_ENDPOINT`, without a closing slash.
    let endpoint: String
    let token: String?
    /// Seconds before the first retry; doubled each time.
    var firstPause = 0.3
    /// Retries that bring nothing before giving up.
    var retries = 3

    init(environment: [String: String]) throws(ModelStoreError) {
        var endpoint = environment["HF_ENDPOINT"].flatMap { $0.isEmpty ? nil : $0 } ?? "https://huggingface.co"
        while endpoint.hasSuffix("/") { endpoint.removeLast() }
        guard let url = URL(string: endpoint), url.scheme == "https" || url.scheme == "http", url.host != nil else {
            throw .unexpectedAnswer(
                what: "HF_ENDPOINT", reason: "\"\(endpoint)\" is not an address that begins with https://")
        }
        self.endpoint = endpoint
        token = environment["HF_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A small JSON document.
    func json(_ path: String, what: String, temporary: String) async throws -> JSONValue {
        try? FileManager.default.removeItem(atPath: temporary)
        try await download(path, what: what, to: temporary, size: nil, limit: 32 << 20) { _ in }
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        do {
            return try JSONReader(contentsOf: temporary).value
        } catch {
            throw ModelStoreError.unexpectedAnswer(what: what, reason: "it is not JSON")
        }
    }

    /// Fetches a file of `size` bytes, going on from what `destination` already holds, and trying again when the
    /// connection breaks.
    ///
    /// - Parameters:
    ///   - path: What follows the endpoint, escaped.
    ///   - what: What it is, for messages.
    ///   - limit: The most bytes to accept when `size` is not known.
    ///   - progress: Called with the bytes that are there.
    func download(
        _ path: String, what: String, to destination: String, size: Int?, limit: Int,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws {
        guard let url = URL(string: endpoint + path) else {
            throw ModelStoreError.unexpectedAnswer(what: what, reason: "its address cannot be written")
        }
        var fruitless = 0
        // A server that hands out a few bytes per connection would otherwise keep us here for ever.
        for _ in 0..<200 {
            var offset = ModelStore.size(ofFile: destination) ?? 0
            if let size, offset == size { return }
            if size == nil || offset > size ?? 0 {
                try? FileManager.default.removeItem(atPath: destination)
                offset = 0
            }
            var problem = "the connection ended early"
            do {
                try await HTTPTransfer.run(
                    url, token: token, to: destination, offset: offset, limit: size ?? limit, progress: progress)
                guard let size else { return }
                if ModelStore.size(ofFile: destination) == size { return }
            } catch let interrupted as HTTPTransfer.Interrupted {
                problem = interrupted.reason
            } catch let refused as HTTPTransfer.Refused {
                if refused.status == 416 {
                    // What is there does not fit what the server has: begin again.
                    try? FileManager.default.removeItem(atPath: destination)
                } else if refused.status < 500, refused.status != 429, refused.status != 408 {
                    throw failure(refused.status, what: what)
                }
                problem = "status \(refused.status)"
                if fruitless >= retries { throw failure(refused.status, what: what) }
            } catch let error as ModelStoreError {
                if case .wrongSize = error { try? FileManager.default.removeItem(atPath: destination) }
                throw error
            }
            try Task.checkCancellation()
            fruitless = (ModelStore.size(ofFile: destination) ?? 0) > offset ? 0 : fruitless + 1
            guard fruitless <= retries else { throw ModelStoreError.noNetwork(what: what, reason: problem) }
            try await Task.sleep(for: .seconds(firstPause * Double(1 << fruitless)))
        }
        throw ModelStoreError.noNetwork(what: what, reason: "the connection breaks again and again")
    }

    private func failure(_ status: Int, what: String) -> ModelStoreError {
        switch status {
        case 401, 403: .refused(what: what, tokenGiven: token != nil)
        case 404: .notFound(what: what)
        default: .serverFailed(what: what, status: status)
        }
    }

    /// A file name as it is written in an address.
    static func escaped(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? name
    }
}
