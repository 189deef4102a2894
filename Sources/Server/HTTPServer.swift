import NIOCore
import NIOHTTP1
import NIOPosix

/// An HTTP/1.1 server.
package final class HTTPServer: Sendable {
    /// An address that cannot be listened on.
    package struct BindFailure: Error, CustomStringConvertible {
        package let description: String
    }

    private let channel: any Channel
    package let port: Int
    private let answering: Budget

    /// Starts to listen.
    /// - Parameter port: 0 for any that is free.
    /// - Throws: ``BindFailure``.
    package init(
        host: String, port: Int, limits: ServerLimits, access: AccessRule, handle: @escaping RequestHandler
    ) async throws(BindFailure) {
        let connections = Budget(limits.connections), bodies = Budget(limits.allBodyBytes)
        let answering = Budget(.max)
        self.answering = answering
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                guard connections.take(1) else {
                    return channel.eventLoop.makeFailedFuture(ChannelError.eof)
                }
                channel.closeFuture.whenComplete { _ in connections.give(1) }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(IdleStateHandler(allTimeout: .seconds(Int64(limits.idleSeconds))))
                    try pipeline.configureHTTPServerPipeline(
                        withPipeliningAssistance: false, withErrorHandling: false)
                    try pipeline.addHandler(
                        ConnectionHandler(
                            limits: limits, access: access, bodies: bodies, answering: answering, handle: handle))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
        do {
            channel = try await bootstrap.bind(host: host, port: port).get()
        } catch {
            throw BindFailure(description: "cannot listen on \(host), port \(port): \(error)")
        }
        self.port = channel.localAddress?.port ?? port
    }

    /// Stops to accept connections.
    package func stop() async { try? await channel.close().get() }

    /// Waits until the answers are out, at most this long.
    package func drain(seconds: Double) async {
        let answering = answering
        // A task of its own: the one that stops the server is cancelled already.
        await Task.detached {
            let end = ContinuousClock.now + .seconds(seconds)
            while answering.isUsed, ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(10)) }
        }.value
    }
}
