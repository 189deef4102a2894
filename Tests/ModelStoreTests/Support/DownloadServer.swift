import Foundation
import TestSupport

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// A model hub and package index on this machine for tests, with the faults real ones have. Needs python3.
///
/// The wheels of the index `owner/repo/simple` are the files of the repository `owner/repo`. A repository is a folder `owner/repo`; its second part chooses the fault:
/// `cut-N` breaks every answer after N bytes, `norange` cuts and ignores ranges, `wrong` changes a byte, `gated` wants a
/// token, `broken` answers 500, `flaky` answers 503 twice first, `long` sends more than it said, `slow` trickles,
/// `moved` redirects files to another port and reports whether the token came along, `html` answers with a page,
/// `page` lists wheels as a page.
final class DownloadServer: Sendable {
    let folder: TemporaryFolder
    let endpoint: String
    private let process: Process

    static let python =
        ["/usr/bin/python3", "/usr/local/bin/python3"].first { FileManager.default.isExecutableFile(atPath: $0) }
        ?? (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { $0 + "/python3" }
        .first { FileManager.default.isExecutableFile(atPath: $0) }

    init() throws {
        folder = try TemporaryFolder()
        process = Process()
        process.executableURL = URL(filePath: DownloadServer.python ?? "/usr/bin/python3")
        process.arguments = ["-u", "-c", DownloadServer.script, folder.url.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let port = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self).trimmingCharacters(
            in: .whitespacesAndNewlines)
        endpoint = "http://127.0.0.1:\(port)"
    }

    deinit { process.terminate() }

    /// Puts a file into a repository.
    func add(_ repository: String, _ name: String, _ bytes: some Sequence<UInt8>) throws {
        let url = folder.url.appending(path: repository)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try Data(bytes).write(to: url.appending(path: name))
    }

    /// Requests so far, one line each: method-less path, range, authorization.
    var requests: [String] {
        let text = (try? String(contentsOf: folder.url.appending(path: "requests.log"), encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    private static let script = #"""
        import hashlib, json, os, re, sys, threading, time, urllib.parse
        from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
        root = sys.argv[1]
        counts = {}
        # The second is user:secret.
        allowed = ("Bearer secret", "Basic dXNlcjpzZWNyZXQ=")

        class Hub(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            def log_message(self, *args): pass

            def answer(self, status, body=b"", headers={}):
                self.send_response(status)
                for key, value in headers.items(): self.send_header(key, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
                token = self.headers.get("Authorization", "-")
                with open(os.path.join(root, "requests.log"), "a") as log:
                    log.write(f"{path} {self.headers.get('Range', '-')} {token} {self.server.server_port}\n")
                parts = path.strip("/").split("/")
                if parts[:2] == ["api", "models"] and len(parts) == 4: return self.listing(*parts[2:], token)
                if len(parts) >= 5 and parts[2] == "resolve": return self.file(parts[0], parts[1], "/".join(parts[4:]), token)
                if len(parts) == 4 and parts[2] == "simple": return self.index(*parts[:2], parts[3], token)
                self.answer(404)

            def index(self, owner, repo, package, token):
                folder = os.path.join(root, owner, repo)
                if repo == "gated" and token not in allowed: return self.answer(401)
                if repo == "broken": return self.answer(500)
                if repo == "html": return self.answer(200, b"<html>please log in</html>", {"Content-Type": "text/html"})
                names = [name for name in sorted(os.listdir(folder))
                         if re.sub("[-_.]+", "-", name.split("-")[0]).lower() == package]
                if not names: return self.answer(404)
                digests = {name: hashlib.sha256(open(os.path.join(folder, name), "rb").read()).hexdigest() for name in names}
                if repo == "page":
                    links = "".join(f'<a data-x="1" href="../../resolve/x/{name}#sha256={digests[name]}">{name}</a><br>' for name in names)
                    return self.answer(200, f"<html><body>{links}</body></html>".encode(), {"Content-Type": "text/html; charset=utf-8"})
                files = [{"filename": name, "url": f"../../resolve/x/{name}", "hashes": {"sha256": digests[name]}} for name in names]
                self.answer(200, json.dumps({"name": package, "files": files}).encode(), {"Content-Type": "application/vnd.pypi.simple.v1+json"})

            def listing(self, owner, repo, token):
                folder = os.path.join(root, owner, repo)
                if not os.path.isdir(folder): return self.answer(404, b'{"error":"Repository not found"}')
                if repo == "gated" and token not in allowed: return self.answer(401)
                if repo == "broken": return self.answer(500)
                if repo == "html": return self.answer(200, b"<html>please log in</html>")
                counts[repo] = counts.get(repo, 0) + 1
                if repo == "flaky" and counts[repo] <= 2: return self.answer(503)
                raw = os.path.join(folder, "listing.raw")
                if os.path.exists(raw): return self.answer(200, open(raw, "rb").read())
                siblings = []
                for name in sorted(os.listdir(folder)):
                    data = open(os.path.join(folder, name), "rb").read()
                    entry = {"rfilename": name, "size": len(data),
                             "blobId": hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()}
                    if len(data) > 1000: entry["lfs"] = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
                    siblings.append(entry)
                self.answer(200, json.dumps({"id": f"{owner}/{repo}", "sha": "0123abcd", "siblings": siblings}).encode())

            def file(self, owner, repo, name, token):
                path = os.path.join(root, owner, repo, name)
                if not os.path.isfile(path): return self.answer(404)
                if repo == "moved" and self.server is server:
                    return self.answer(302, headers={"Location": f"http://127.0.0.1:{other.server_port}{self.path}"})
                data = open(path, "rb").read()
                if repo == "wrong" and len(data) > 1000: data = data[:500] + bytes([data[500] ^ 1]) + data[501:]
                start, total = 0, len(data)
                match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
                if match and repo != "norange":
                    start = int(match[1])
                    if start >= total: return self.answer(416, headers={"Content-Range": f"bytes */{total}"})
                self.send_response(206 if start else 200)
                if start: self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
                body = data[start:]
                if repo == "long": body += b"x" * 100000
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                cut = re.fullmatch(r"cut-(\d+)", repo)
                counts[path] = counts.get(path, 0) + 1
                if cut: body = body[:int(cut[1])]
                if repo == "norange" and counts[path] <= 2: body = body[:3000]
                try:
                    if repo == "slow":
                        for at in range(0, len(body), 1000):
                            self.wfile.write(body[at:at + 1000]); self.wfile.flush(); time.sleep(0.05)
                    else: self.wfile.write(body)
                    self.wfile.flush()
                except OSError: pass
                self.close_connection = True

        server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
        other = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
        server.daemon_threads = other.daemon_threads = True
        threading.Thread(target=other.serve_forever, daemon=True).start()
        # Ends with the test that started it, however that ends.
        parent = os.getppid()
        def watch():
            while os.getppid() == parent: time.sleep(0.5)
            os._exit(0)
        threading.Thread(target=watch, daemon=True).start()
        print(server.server_port, flush=True)
        server.serve_forever()
        """#
}
