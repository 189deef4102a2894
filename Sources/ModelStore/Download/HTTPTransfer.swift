import Checkpoint
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// One HTTP request whose response is written to a file while it arrives, up to a limit of bytes.
final class HTTPTransfer: NSObject, URLSessionDataDelegate, Sendable {
    /// A failed or broken connection, which is retried.
    struct Interrupted: Error {
        let reason: String
    }

    /// A status other than 200 or 206.
    struct Refused: Error {
        let status: Int
    }

    /// The address after redirections, and the media type.
    struct Answer: Sendable {
        let url: URL?
        let mimeType: String?
    }

    private struct State {
        var answer = Answer(url: nil, mimeType: nil)
        var output: OutputFile?
        var failure: (any Error)?
        var continuation: CheckedContinuation<Void, any Error>?
    }

    private let path: String
    private let offset: Int
    private let limit: Int
    private let progress: @Sendable (Int) -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - offset: Bytes that `path` already holds; the rest is requested.
    ///   - progress: Called with the file's size.
    private init(path: String, offset: Int, limit: Int, progress: @escaping @Sendable (Int) -> Void) {
        self.path = path
        self.offset = offset
        self.limit = limit
        self.progress = progress
    }

    /// - Throws: `Interrupted`, `Refused`, `CheckpointError.cannotWrite`, `ModelStoreError.wrongSize`,
    ///   `CancellationError`.
    static func run(
        _ download: Downloader.Request, to path: String, offset: Int, limit: Int,
        progress: @escaping @Sendable (Int) -> Void
    ) async throws -> Answer {
        var request = URLRequest(url: download.url, cachePolicy: .reloadIgnoringLocalCacheData, timeoutInterval: 60)
        if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
        // Compressed transfer would make ranges and sizes meaningless.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        request.setValue("fovea", forHTTPHeaderField: "User-Agent")
        if let accept = download.accept { request.setValue(accept, forHTTPHeaderField: "Accept") }
        if let login = download.authorization { request.setValue(login, forHTTPHeaderField: "Authorization") }

        let transfer = HTTPTransfer(path: path, offset: offset, limit: limit, progress: progress)
        let queue = OperationQueue()
        queue.maxConcurrentOperationCount = 1
        let configuration = URLSessionConfiguration.ephemeral
        configuration.urlCache = nil
        let session = URLSession(configuration: configuration, delegate: transfer, delegateQueue: queue)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: request)
        try await withTaskCancellationHandler {
            try Task.checkCancellation()
            try await withCheckedThrowingContinuation { continuation in
                transfer.state.withLock { $0.continuation = continuation }
                task.resume()
            }
        } onCancel: {
            task.cancel()
        }
        return transfer.state.withLock { $0.answer }
    }

    // MARK: URLSessionDataDelegate

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        let accepted = state.withLock { state in
            do {
                let append = try shouldAppend(response)
                state.answer = Answer(url: response.url, mimeType: response.mimeType)
                state.output = try OutputFile(path: path, append: append)
                return true
            } catch {
                state.failure = error
                return false
            }
        }
        completionHandler(accepted ? .allow : .cancel)
        if !accepted { dataTask.cancel() }
    }

    /// True if the response continues the file (206), false if it is the whole file (200).
    private func shouldAppend(_ response: URLResponse) throws -> Bool {
        guard let response = response as? HTTPURLResponse else { throw Interrupted(reason: "not an HTTP answer") }
        switch response.statusCode {
        case 200: return false
        case 206:
            let range = response.value(forHTTPHeaderField: "Content-Range") ?? ""
            guard offset > 0, range.hasPrefix("bytes \(offset)-") else { throw Refused(status: 416) }
            return true
        default: throw Refused(status: response.statusCode)
        }
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let size: Int? = state.withLock { state in
            guard state.failure == nil, let output = state.output else { return nil }
            do {
                guard output.size + data.count <= limit else {
                    throw ModelStoreError.wrongSize(file: path, expected: limit, actual: output.size + data.count)
                }
                for region in data.regions { try region.withUnsafeBytes { try output.write($0) } }
                return output.size
            } catch {
                state.failure = error
                return nil
            }
        }
        if let size { progress(size) } else { dataTask.cancel() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        var request = request
        // Hubs redirect to storage on other hosts, which must not get the token.
        if request.url?.host != task.originalRequest?.url?.host || request.url?.port != task.originalRequest?.url?.port
            || request.url?.scheme != task.originalRequest?.url?.scheme
        {
            request.setValue(nil, forHTTPHeaderField: "Authorization")
        }
        // A redirection from https to http is refused.
        let downgraded = task.originalRequest?.url?.scheme == "https" && request.url?.scheme != "https"
        completionHandler(downgraded ? nil : request)
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        let (continuation, failure) = state.withLock { state -> (CheckedContinuation<Void, any Error>?, (any Error)?) in
            var failure = state.failure
            do { try state.output?.close() } catch { failure = failure ?? error }
            state.output = nil
            defer { state.continuation = nil }
            if failure == nil, let error {
                failure =
                    (error as? URLError)?.code == .cancelled
                    ? CancellationError() : Interrupted(reason: (error as NSError).localizedDescription)
            }
            return (state.continuation, failure)
        }
        if let failure { continuation?.resume(throwing: failure) } else { continuation?.resume() }
    }
}
