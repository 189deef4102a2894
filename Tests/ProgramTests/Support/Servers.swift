import Foundation
import TestSupport

/// One repository of a model hub, served from a folder.
final class StaticHub: @unchecked Sendable {
    // Safety: used by one test at a time; the process is started once and ended once.
    private let folder: TemporaryFolder
    private let process = Process()
    let endpoint: String

    init() async throws {
        folder = try TemporaryFolder()
        let pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["python3", "-c", Self.script, folder.url.path]
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = ""
        while !line.contains("\n") {
            let data = pipe.fileHandleForReading.availableData
            if data.isEmpty { throw POSIXError(.ECONNREFUSED) }
            line += String(decoding: data, as: UTF8.self)
        }
        guard let port = UInt16(line.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw POSIXError(.ECONNREFUSED)
        }
        endpoint = "http://127.0.0.1:\(port)"
    }

    /// Serves the folder it is given, and says its port. Ends with the tests that started it, however they end.
    private static let script = """
        import functools, http.server, os, sys, threading, time
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        parent = os.getppid()
        def watch():
            while os.getppid() == parent: time.sleep(0.5)
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    deinit { process.terminate() }

    /// Adds `org/model`, whose listing tells the digest of its weights, or one that is not theirs.
    func add(wrongDigest: Bool) throws {
        let header = #"{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}"#
        var length = UInt64(header.utf8.count).littleEndian
        let weights = Data(withUnsafeBytes(of: &length) { Array($0) } + Array(header.utf8) + [1, 2, 3, 4])
        let files = folder.url.appending(path: "org/model/resolve/0123abcd")
        try FileManager.default.createDirectory(at: files, withIntermediateDirectories: true)
        try weights.write(to: files.appending(path: "model.safetensors"))
        let digest =
            wrongDigest
            ? String(repeating: "0", count: 64) : try Self.sha256(files.appending(path: "model.safetensors").path)
        let listing: [String: Any] = [
            "id": "org/model", "sha": "0123abcd",
            "siblings": [
                [
                    "rfilename": "model.safetensors", "size": weights.count,
                    "lfs": ["sha256": digest, "size": weights.count],
                ] as [String: Any]
            ],
        ]
        let api = folder.url.appending(path: "api/models/org")
        try FileManager.default.createDirectory(at: api, withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: listing).write(to: api.appending(path: "model"))
    }

    /// By another program than the one under test.
    private static func sha256(_ path: String) throws -> String {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["sha256sum", path]
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data.prefix(64), as: UTF8.self)
    }
}

/// Accepts connections and never says a word.
final class SilentServer: Sendable {
    private let descriptor: Int32
    let port: UInt16

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        if descriptor < 0 || !bound { throw POSIXError(.EADDRNOTAVAIL) }
    }

    deinit { close(descriptor) }
}
