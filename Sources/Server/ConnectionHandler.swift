import NIOCore
import NIOHTTP1

/// Answers requests. Runs in a task that is cancelled when the client goes.
package typealias RequestHandler = @Sendable (HTTPRequest, ResponseWriter) async -> Void

/// One connection: collects a request within the limits, starts its task, and waits for the end of the answer.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        case idle
        case receiving(HTTPRequestHead)
        case answering(ResponseWriter, Task<Void, Never>)
        /// Refused: the rest of the request is read and dropped, so that the client comes to read the answer.
        case refused
    }

    /// The end of the time that a request has to arrive.
    private struct Deadline: Sendable { let request: Int }

    /// Time for a refused client to read why, while what it still sends is dropped.
    private static let lingerSeconds = 2

    private let limits: ServerLimits
    private let access: AccessRule
    private let bodies: Budget
    /// Requests that are being answered.
    private let answering: Budget
    private let handle: RequestHandler
    private var state = State.idle
    /// The body so far; apart from the state, so that it grows in place.
    private var body = ByteBuffer()
    /// Bytes taken from the budget of bodies.
    private var taken = 0
    private var requests = 0

    init(
        limits: ServerLimits, access: AccessRule, bodies: Budget, answering: Budget, handle: @escaping RequestHandler
    ) {
        self.limits = limits
        self.access = access
        self.bodies = bodies
        self.answering = answering
        self.handle = handle
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle):
            begin(head, context)
        case (.body(let part), .receiving):
            guard part.readableBytes <= limits.bodyBytes - body.readableBytes else {
                return refuse(tooLarge, context)
            }
            guard bodies.take(part.readableBytes) else { return refuse(tooBusy, context) }
            taken += part.readableBytes
            body.writeImmutableBuffer(part)
        case (.end, .receiving(let head)):
            answer(head, context)
        case (.end, .refused):
            context.close(promise: nil)
        case (.body, .refused), (.end, _):
            break
        case (.head, _), (.body, _):
            // Another request before the answer to the last one.
            context.close(promise: nil)
        }
    }

    private var tooLarge: ServerError {
        ServerError(413, "the body is larger than \(limits.bodyBytes) bytes", code: "request_too_large")
    }

    private var tooBusy: ServerError {
        ServerError(503, "too many large requests at once; try again", code: "overloaded")
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        requests += 1
        schedule(Deadline(request: requests), in: limits.requestSeconds, context)
        do {
            try access.check(
                path: Self.path(of: head), authorization: head.headers.first(name: "authorization"),
                origin: head.headers.first(name: "origin"), host: head.headers.first(name: "host"))
        } catch {
            return refuse(error, context)
        }
        if let length = head.headers.first(name: "content-length").flatMap(Int.init), length > limits.bodyBytes {
            return refuse(tooLarge, context)
        }
        state = .receiving(head)
    }

    private func schedule(_ deadline: Deadline, in seconds: Int, _ context: ChannelHandlerContext) {
        let channel = context.channel
        context.eventLoop.scheduleTask(in: .seconds(Int64(seconds))) {
            channel.pipeline.fireUserInboundEventTriggered(deadline)
        }
    }

    private static func path(of head: HTTPRequestHead) -> String { String(head.uri.prefix { $0 != "?" }) }

    private func refuse(_ error: ServerError, _ context: ChannelHandlerContext) {
        state = .refused
        giveBack()
        // The connection closes with the request's end, or soon.
        schedule(Deadline(request: requests), in: Self.lingerSeconds, context)
        let bytes = ByteBuffer(string: error.json)
        let headers: HTTPHeaders = [
            "content-type": "application/json", "content-length": "\(bytes.readableBytes)", "connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: error.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func giveBack() {
        bodies.give(taken)
        taken = 0
        body = ByteBuffer()
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        let writer = ResponseWriter(context.channel, keepsAlive: head.isKeepAlive, limit: limits.unsentBytes)
        let request = HTTPRequest(
            method: head.method.rawValue, path: Self.path(of: head),
            contentType: head.headers.first(name: "content-type"), body: Array(body.readableBytesView),
            client: context.remoteAddress?.ipAddress ?? "")
        body = ByteBuffer()
        let handle = handle
        _ = answering.take(1)
        state = .answering(
            writer,
            Task {
                await handle(request, writer)
                writer.send(ServerError(500, "the request was not answered"))
            })
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch (event, state) {
        case (is ResponseWriter.Ended, .answering):
            giveBack()
            answering.give(1)
            state = .idle
        case (let deadline as Deadline, .receiving), (let deadline as Deadline, .refused):
            if deadline.request == requests { context.close(promise: nil) }
        case (is IdleStateHandler.IdleStateEvent, .answering(let writer, _)):
            // A model that computes writes nothing; a client that does not read has no more time.
            if writer.isBehind { context.close(promise: nil) }
        case (is IdleStateHandler.IdleStateEvent, _):
            context.close(promise: nil)
        default:
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .answering(_, let task) = state {
            task.cancel()
            answering.give(1)
        }
        giveBack()
        state = .refused
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .idle, .receiving:
            if error is HTTPParserError {
                refuse(ServerError(400, "not a request of HTTP/1.1: \(error)"), context)
            }
        case .answering, .refused: break
        }
        context.close(promise: nil)
    }
}
