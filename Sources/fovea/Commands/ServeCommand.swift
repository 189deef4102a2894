import ArgumentParser
import Foundation
import Generation
import Server
import Speech
import Support

/// `fovea serve`: a model over HTTP, with its attention.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve a model over HTTP, as OpenAI's API does, with attention in its answers.",
        discussion: """
            Addresses: /v1/models, /v1/chat/completions, /v1/completions, /v1/audio/transcriptions, \
            /v1/audio/translations, /metrics, /health, and / for a page that shows attention. Requests take the member \
            "attention": {"kinds", "layers", "heads", "reduce", "k", "format": "topk"|"base64"|"file"}. One request is \
            answered at a time; clients take turns. Without a temperature answers are greedy.

            Any other address than that of this machine needs a token, from the variable FOVEA_TOKEN or --token-file; \
            clients send it as Authorization: Bearer TOKEN.
            """)

    @OptionGroup var model: ModelArgument

    @Option(name: .long, help: ArgumentHelp("Address to listen on.", valueName: "address"))
    var host = "127.0.0.1"

    @Option(name: .long, help: ArgumentHelp("Port to listen on; 0 for any free one.", valueName: "port"))
    var port = 8080

    @Option(name: .long, help: ArgumentHelp("A file with the token that clients send.", valueName: "file"))
    var tokenFile: String?

    @Option(name: .long, help: ArgumentHelp("The model's name for clients.", valueName: "name"))
    var name: String?

    @Option(
        name: .long,
        help: ArgumentHelp("Folder for attention that requests ask for as files.", valueName: "folder"))
    var attentionFolder: String?

    @Option(name: .long, help: ArgumentHelp("Largest body of a request, in MiB.", valueName: "MiB"))
    var maxBody = 64

    @Option(name: .long, help: ArgumentHelp("Maximum number of pictures of a request.", valueName: "n"))
    var maxPictures = 16

    @Option(name: .long, help: ArgumentHelp("Maximum number of tokens of an answer.", valueName: "n"))
    var maxTokens: Int?

    @Option(name: .long, help: ArgumentHelp("Maximum number of requests that wait.", valueName: "n"))
    var maxWaiting = 64

    @OptionGroup var projector: ProjectorOption
    @OptionGroup var weights: WeightOptions
    @OptionGroup var device: DeviceOptions

    func validate() throws {
        if !(0...65535).contains(port) { throw ValidationError("--port: 0 to 65535") }
        if !(1...4096).contains(maxBody) { throw ValidationError("--max-body: 1 to 4096") }
        if maxPictures < 0 { throw ValidationError("--max-pictures: 0 or more") }
        if let maxTokens, maxTokens < 1 { throw ValidationError("--max-tokens: at least 1") }
        if !(1...100_000).contains(maxWaiting) { throw ValidationError("--max-waiting: 1 to 100000") }
    }

    private static let shortestToken = 16

    /// The token; nil for a server that only this machine reaches.
    private func token() throws -> String? {
        var token = Folders.environment["FOVEA_TOKEN"] ?? ""
        if let tokenFile {
            do {
                token = try String(contentsOfFile: (tokenFile as NSString).expandingTildeInPath, encoding: .utf8)
            } catch {
                throw ProgramError.cannotReadFile(path: tokenFile, reason: ErrorText.line(error))
            }
        }
        token = token.trimmingCharacters(in: .whitespacesAndNewlines)
        if token.isEmpty {
            guard tokenFile == nil, ["127.0.0.1", "::1", "localhost"].contains(host) else {
                throw ProgramError.option(
                    name: tokenFile == nil ? "--host" : "--token-file",
                    problem: "other machines reach \(host): set FOVEA_TOKEN or --token-file to a secret")
            }
            return nil
        }
        guard token.utf8.count >= Self.shortestToken else {
            throw ProgramError.option(
                name: tokenFile == nil ? "FOVEA_TOKEN" : "--token-file",
                problem: "the token has \(token.utf8.count) bytes; at least \(Self.shortestToken) are needed")
        }
        return token
    }

    func run() async throws {
        let token = try token()
        let location = projector.completing(try model.location())
        let declared = try SessionRegistry.standard.declare(
            path: location.path, projector: location.projector, options: weights.load)
        try weights.check(declared.model)
        let folder = attentionFolder.map { ($0 as NSString).expandingTildeInPath }
        if let folder { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
        let scratch = FileManager.default.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: scratch, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(atPath: scratch) }

        let device = try device.open()
        defer { device.savePipelineCache() }
        let served = ServedModel(
            name: name ?? URL(filePath: model.model).lastPathComponent, declared, on: device,
            session: try ModelSetup.load(declared, on: device))
        let api = OpenAIServer(
            served,
            options: .init(
                attentionFolder: folder, scratchFolder: scratch, mostPictures: maxPictures, mostTokens: maxTokens,
                waiting: maxWaiting))
        var limits = ServerLimits()
        limits.bodyBytes = maxBody << 20
        limits.allBodyBytes = max(limits.allBodyBytes, limits.bodyBytes)
        let server = try await HTTPServer(
            host: host, port: port, limits: limits, access: AccessRule(token: token)
        ) { await api.handle($0, $1) }
        let shownHost = host.contains(":") ? "[\(host)]" : host
        Console.say("listening on http://\(Sanitizer.stream.line(shownHost)):\(server.port)")
        await Self.untilCancelled()
        Console.say("stopping after the answer in work")
        await server.stop()
        api.queue.close()
        await api.queue.idle()
        await server.drain(seconds: 5)
        try Task.checkCancellation()
    }

    /// Waits for Ctrl-C or SIGTERM.
    private static func untilCancelled() async {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        await withTaskCancellationHandler {
            for await _ in stream {}
        } onCancel: {
            continuation.finish()
        }
    }
}
