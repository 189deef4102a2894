import Checkpoint
import Foundation

/// A downloader that resumes partial files, retries after broken connections, and verifies digests.
struct Downloader: Sendable {
    struct Request: Sendable {
        let url: URL
        /// The value of the `Authorization` header. It is not sent to other hosts.
        var authorization: String?
        var accept: String?
        /// Description for messages; never the address, which may hold credentials.
        let what: String
    }

    /// Seconds before the first retry; doubled each time.
    var firstPause = 0.3
    /// Number of retries without progress before the download fails.
    var retries = 3

    /// The verified file in `folder`. An earlier attempt's `.part` file is continued.
    ///
    /// - Parameter report: Called with the phase and the received bytes of this file.
    func fetch(
        _ file: ModelFile, _ request: Request, into folder: String,
        report: @escaping @Sendable (PullProgress.Phase, Int) -> Void
    ) async throws {
        let complete = folder + "/" + file.name
        let partial = complete + ".part"
        if (try? ModelStore.verify(file, in: folder)) != nil {
            report(.downloading, file.byteCount)
            return
        }
        try? FileManager.default.removeItem(atPath: complete)
        let resumed = ModelStore.size(ofFile: partial) ?? 0 > 0
        if file.byteCount == 0 { try OutputFile(path: partial).close() }
        for attempt in 0...1 {
            try await download(request, to: partial, size: file.byteCount, limit: file.byteCount) { bytes in
                report(.downloading, bytes)
            }
            report(.verifying, file.byteCount)
            do {
                let arrived = ModelFile(name: file.name + ".part", byteCount: file.byteCount, digest: file.digest)
                try ModelStore.verify(arrived, in: folder)
                break
            } catch let error as ModelStoreError {
                try? FileManager.default.removeItem(atPath: partial)
                // The partial file is of an earlier version: download it again from the beginning.
                guard resumed, attempt == 0 else { throw error }
            }
        }
        guard rename(partial, complete) == 0 else {
            throw ModelStoreError.unwritable(path: complete, reason: lastSystemError())
        }
    }

    /// A small document, whole.
    ///
    /// - Returns: Its bytes, the address it came from after redirections, and its media type.
    func document(_ request: Request, temporary: String) async throws -> (bytes: [UInt8], url: URL, type: String) {
        try? FileManager.default.removeItem(atPath: temporary)
        defer { try? FileManager.default.removeItem(atPath: temporary) }
        let answer = try await download(request, to: temporary, size: nil, limit: 32 << 20) { _ in }
        let bytes = Array(try Data(contentsOf: URL(filePath: temporary)))
        return (bytes, answer?.url ?? request.url, answer?.mimeType ?? "")
    }

    /// Downloads to `destination`, continuing what it already holds.
    ///
    /// - Parameters:
    ///   - size: The file's size if known.
    ///   - limit: The most bytes to accept.
    ///   - progress: Called with the number of received bytes.
    /// - Throws: `HTTPTransfer.Refused` for a status that a retry does not change, `ModelStoreError`, `CancellationError`
    @discardableResult
    private func download(
        _ request: Request, to destination: String, size: Int?, limit: Int, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> HTTPTransfer.Answer? {
        var fruitless = 0
        // Without this bound, a server that sends a few bytes per connection would never end the loop.
        for _ in 0..<200 {
            var offset = ModelStore.size(ofFile: destination) ?? 0
            if let size, offset == size { return nil }
            if size == nil || offset > size ?? 0 {
                try? FileManager.default.removeItem(atPath: destination)
                offset = 0
            }
            var problem = "the connection ended early"
            do {
                let answer = try await HTTPTransfer.run(
                    request, to: destination, offset: offset, limit: limit, progress: progress)
                if size == nil || ModelStore.size(ofFile: destination) == size { return answer }
            } catch let interrupted as HTTPTransfer.Interrupted {
                problem = interrupted.reason
            } catch let refused as HTTPTransfer.Refused {
                if refused.status == 416 {
                    // The partial file does not match the server's: start again.
                    try? FileManager.default.removeItem(atPath: destination)
                } else if refused.status < 500, refused.status != 429, refused.status != 408 {
                    throw refused
                }
                problem = "status \(refused.status)"
                if fruitless >= retries { throw refused }
            } catch let error as ModelStoreError {
                if case .wrongSize = error { try? FileManager.default.removeItem(atPath: destination) }
                throw error
            }
            try Task.checkCancellation()
            fruitless = (ModelStore.size(ofFile: destination) ?? 0) > offset ? 0 : fruitless + 1
            guard fruitless <= retries else { throw ModelStoreError.noNetwork(what: request.what, reason: problem) }
            try await Task.sleep(for: .seconds(firstPause * Double(1 << fruitless)))
        }
        throw ModelStoreError.noNetwork(what: request.what, reason: "the connection breaks again and again")
    }
}
