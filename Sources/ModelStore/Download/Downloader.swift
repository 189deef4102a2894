import Checkpoint
import Foundation

/// Downloads files: resumes what is partly there, retries when the connection breaks, checks the digest.
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
    /// Fruitless retries before giving up.
    var retries = 3

    /// The verified file in `folder`. An earlier attempt's `.part` file is continued.
    ///
    /// - Parameter report: Called with the phase and the bytes of this file that are there.
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
                // The start of an earlier version does not fit the new end: once more from the beginning.
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
    ///   - progress: Called with the bytes that are there.
    /// - Throws: `HTTPTransfer.Refused` for a status that another try will not change, `ModelStoreError`, `CancellationError`
    @discardableResult
    private func download(
        _ request: Request, to destination: String, size: Int?, limit: Int, progress: @escaping @Sendable (Int) -> Void
    ) async throws -> HTTPTransfer.Answer? {
        var fruitless = 0
        // A server that hands out a few bytes per connection would otherwise keep us here for ever.
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
                    // What is there does not fit what the server has: begin again.
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
