import Foundation
import JSON
import Support

/// A client of a model hub: huggingface.co, or a mirror with the same protocol.
struct HubClient: Sendable {
    /// `HF_ENDPOINT` without credentials and closing slash.
    let endpoint: URL
    /// `HF_TOKEN`, or the token that the hub's own program has stored, or else the name and password in `HF_ENDPOINT`.
    private let authorization: String?
    private let hasToken: Bool
    private let downloader = Downloader()

    /// - Throws: `ModelStoreError.badAddress`
    init(environment: [String: String]) throws(ModelStoreError) {
        func setting(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let login = try Login(address: setting("HF_ENDPOINT") ?? "https://huggingface.co", setting: "HF_ENDPOINT")
        let token = setting("HF_TOKEN") ?? Self.storedToken(environment)
        endpoint = login.url
        authorization = token.map { "Bearer \($0)" } ?? login.authorization
        hasToken = token != nil
    }

    /// The token that the hub's own program has stored: `$HF_HOME/token`.
    private static func storedToken(_ environment: [String: String]) -> String? {
        let home = environment["HF_HOME"].flatMap { $0.isEmpty ? nil : ($0 as NSString).expandingTildeInPath }
        let path = (home ?? BaseDirectories(environment: environment).caches + "/huggingface") + "/token"
        guard let size = ModelStore.size(ofFile: path), size <= 4096,
            let data = FileManager.default.contents(atPath: path)
        else { return nil }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        // Anything else would be another header in the request.
        return !text.isEmpty && text.utf8.allSatisfy { (33...126).contains($0) } ? text : nil
    }

    /// A small JSON document.
    func json(_ path: String, what: String, temporary: String) async throws -> JSONValue {
        let answer = try await refusalsNamed(what) {
            try await downloader.document(request(path, what: what), temporary: temporary)
        }
        guard let value = try? JSONParser.parse(answer.bytes) else {
            throw ModelStoreError.unexpectedAnswer(what: what, reason: "it is not JSON")
        }
        return value
    }

    /// Fetches a file into `folder`; see ``Downloader/fetch(_:_:into:report:)``.
    ///
    /// - Parameter path: The path after the endpoint, percent-encoded.
    func fetch(
        _ file: ModelFile, _ path: String, what: String, into folder: String,
        report: @escaping @Sendable (PullProgress.Phase, Int) -> Void
    ) async throws {
        try await refusalsNamed(what) {
            try await downloader.fetch(file, request(path, what: what), into: folder, report: report)
        }
    }

    private func request(_ path: String, what: String) throws(ModelStoreError) -> Downloader.Request {
        guard let url = URL(string: endpoint.absoluteString + path) else {
            throw .unexpectedAnswer(what: what, reason: "its address is not valid")
        }
        return Downloader.Request(url: url, authorization: authorization, what: what)
    }

    private func refusalsNamed<T>(_ what: String, _ body: () async throws -> T) async throws -> T {
        do {
            return try await body()
        } catch let refused as HTTPTransfer.Refused {
            switch refused.status {
            case 401, 403: throw ModelStoreError.refused(what: what, tokenGiven: hasToken)
            case 404: throw ModelStoreError.notFound(what: what)
            default: throw ModelStoreError.serverFailed(what: what, status: refused.status)
            }
        }
    }

    /// A file name, percent-encoded for a URL.
    static func escaped(_ name: String) -> String {
        name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? name
    }
}
