import Foundation
import JSON
import TestSupport

/// `fovea serve`, running.
final class ServedProgram: Sendable {
    let port: UInt16
    private let child: ChildProcess
    private let folder: TemporaryFolder

    enum Failure: Error { case ended(String), noAnswer }

    init(_ arguments: [String], home: TemporaryFolder, environment: [String: String] = [:]) async throws {
        folder = try TemporaryFolder()
        let words = try folder.write("", to: "stderr")
        child = try ChildProcess(
            [Program.path, "serve"] + arguments + ["--port", "0"],
            environment: Program.clean(home: home.url.path, environment.merging(["TMPDIR": folder.url.path]) { $1 }),
            output: try folder.write("", to: "stdout"), words: words)
        for _ in 0..<6000 {
            let text = try String(contentsOfFile: words, encoding: .utf8)
            if let match = text.firstMatch(of: /listening on http:\/\/[^\n]*:(\d+)\n/), let port = UInt16(match.1) {
                self.port = port
                return
            }
            if kill(child.identifier, 0) != 0 || text.contains("fovea: ") { throw Failure.ended(text) }
            try await Task.sleep(for: .milliseconds(10))
        }
        kill(child.identifier, SIGKILL)
        throw Failure.noAnswer
    }

    deinit { kill(child.identifier, SIGKILL) }

    /// Asks the server to stop.
    /// - Returns: its exit code, and files that it left behind.
    func stop() async -> (code: Int32, left: [String]) {
        kill(child.identifier, SIGTERM)
        let code = await child.ended().code
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.url.path)) ?? []
        return (code, files.filter { $0 != "stderr" && $0 != "stdout" })
    }

    /// Resident memory of the server in bytes.
    var residentBytes: Int {
        let pages = (try? String(contentsOfFile: "/proc/\(child.identifier)/statm", encoding: .utf8))?
            .split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * 4096
    }

    // MARK: Requests

    struct Answer: Sendable {
        let status: Int
        let head: String
        let body: String

        func json() throws -> JSONReader { try JSONReader(parsing: Array(body.utf8), file: "the answer") }

        /// Data of a stream's events.
        var events: [String] {
            body.components(separatedBy: "\n\n").filter { !$0.isEmpty }.map { String($0.trimmingPrefix("data: ")) }
        }
    }

    func get(_ path: String, headers: [String] = []) async throws -> Answer {
        try await send("GET \(path) HTTP/1.1\r\n" + lines(headers) + "\r\n")
    }

    func post(_ path: String, _ body: [String: Any], headers: [String] = []) async throws -> Answer {
        try await post(path, JSONSerialization.data(withJSONObject: body), headers: headers)
    }

    func post(_ path: String, _ body: Data, type: String = "application/json", headers: [String] = []) async throws
        -> Answer
    {
        let head = lines(headers + ["Content-Type: \(type)", "Content-Length: \(body.count)"])
        return try await send(Array("POST \(path) HTTP/1.1\r\n\(head)\r\n".utf8) + body)
    }

    private func lines(_ headers: [String]) -> String {
        let host = headers.contains { $0.hasPrefix("Host:") } ? [] : ["Host: localhost:\(port)"]
        return (host + ["Connection: close"] + headers).map { $0 + "\r\n" }.joined()
    }

    func send(_ text: String) async throws -> Answer { try await send(Array(text.utf8)) }

    /// Sends bytes and reads the answer to its end, on a thread of its own.
    /// - Parameter reading: bytes after which the client goes away.
    func send(_ bytes: [UInt8], reading: Int = .max) async throws -> Answer {
        let port = port
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try Self.exchange(bytes, port: port, reading: reading) })
            }
        }
    }

    private static func exchange(_ bytes: [UInt8], port: UInt16, reading: Int) throws -> Answer {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 120, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        address.sin_port = port.bigEndian
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        guard isConnected else { throw Failure.noAnswer }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // The server may refuse and close before it has everything.
            if count <= 0 { break }
            sent += count
        }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while answer.count < reading {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            answer += buffer[..<count]
        }
        return try parse(answer)
    }

    private static func parse(_ bytes: [UInt8]) throws -> Answer {
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n"), let status = text.split(separator: " ").dropFirst().first,
            let status = Int(status)
        else { throw Failure.noAnswer }
        let head = String(text[..<end.lowerBound])
        let rest = Array(text[end.upperBound...].utf8)
        guard head.lowercased().contains("transfer-encoding: chunked") else {
            return Answer(status: status, head: head, body: String(decoding: rest, as: UTF8.self))
        }
        var body: [UInt8] = []
        var position = 0
        while let line = rest[position...].firstIndex(of: 0x0d),
            let count = Int(String(decoding: rest[position..<line], as: UTF8.self), radix: 16), count > 0
        {
            let start = line + 2
            body += rest[min(start, rest.count)..<min(start + count, rest.count)]
            position = min(start + count + 2, rest.count)
        }
        return Answer(status: status, head: head, body: String(decoding: body, as: UTF8.self))
    }
}
