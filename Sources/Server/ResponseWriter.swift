import NIOCore
import NIOHTTP1
import Synchronization

/// The answer to one request. May be used from any thread; what is written after the client has gone is dropped.
package final class ResponseWriter: Sendable {
    private struct State {
        var hasStarted = false
        var hasEnded = false
        /// Bytes that are not in the system's hands yet.
        var unsent = 0
    }

    /// The event that the connection's handler gets when the answer is out.
    struct Ended: Sendable {}

    private let channel: any Channel
    private let keepsAlive: Bool
    private let limit: Int
    private let state = Mutex(State())

    init(_ channel: any Channel, keepsAlive: Bool, limit: Int) {
        self.channel = channel
        self.keepsAlive = keepsAlive
        self.limit = limit
    }

    /// True once the status is out: an error can then only be said inside the answer.
    package var hasStarted: Bool { state.withLock { $0.hasStarted } }
    /// True while the client has not taken everything.
    var isBehind: Bool { state.withLock { $0.unsent > 0 } }

    /// Writes a whole answer.
    package func send(
        _ text: String, type: String = "application/json", status: Int = 200, headers: [(String, String)] = []
    ) {
        let bytes = Array(text.utf8)
        start(type: type, status: status, headers: headers + [("content-length", "\(bytes.count)")])
        write(bytes)
        end()
    }

    package func send(_ error: ServerError) {
        let headers = error.status == 429 || error.status == 503 ? [("retry-after", "1")] : []
        send(error.json, status: error.status, headers: headers)
    }

    /// Writes the head of an answer whose length is not known.
    package func start(type: String, status: Int = 200, headers: [(String, String)] = []) {
        let isFirst = state.withLock { state in
            defer { state.hasStarted = true }
            return !state.hasStarted
        }
        guard isFirst else { return }
        var fields = HTTPHeaders(headers)
        fields.add(name: "content-type", value: type)
        fields.add(name: "cache-control", value: "no-store")
        fields.add(name: "x-content-type-options", value: "nosniff")
        fields.add(name: "connection", value: keepsAlive ? "keep-alive" : "close")
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: fields)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
    }

    /// Writes a piece of the body. A client that leaves too much unread is disconnected.
    package func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        let (isOpen, isTooMuch) = state.withLock { state in
            guard state.hasStarted, !state.hasEnded else { return (false, false) }
            state.unsent += bytes.count
            return (true, state.unsent > limit + bytes.count)
        }
        guard isOpen else { return }
        if isTooMuch {
            channel.close(promise: nil)
            return
        }
        channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: bytes)))).whenComplete {
            [self] _ in state.withLock { $0.unsent -= bytes.count }
        }
    }

    /// Writes one event of a stream of events.
    package func event(_ data: String) { write(Array("data: \(data)\n\n".utf8)) }

    package func end() {
        let isLast = state.withLock { state in
            defer { state.hasEnded = true }
            return state.hasStarted && !state.hasEnded
        }
        guard isLast else { return }
        let (channel, keepsAlive) = (channel, keepsAlive)
        channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in
            if keepsAlive {
                channel.pipeline.fireUserInboundEventTriggered(Ended())
            } else {
                channel.close(promise: nil)
            }
        }
    }
}
