import Generation
import Telemetry

/// What the screen needs of the engine. The app knows nothing else of it, so that a script can stand in for a model.
public protocol PlaygroundBackend: Sendable {
    /// The device that computes, as people call it.
    var deviceName: String { get async }
    func models() async -> [ModelChoice]
    /// Downloads a model of the catalogue.
    func pull(_ name: String) -> AsyncThrowingStream<TransferProgress, any Error>
    /// Loads a model in place of the loaded one.
    func load(_ name: String) -> AsyncThrowingStream<LoadProgress, any Error>
    func unload() async
    /// Answers with the loaded model; cancelling the task that reads the stream stops it.
    func answer(_ request: AnswerRequest) -> AsyncThrowingStream<GenerationEvent, any Error>
    func memory() async -> MemoryReport
}

/// A model that can be chosen.
public struct ModelChoice: Sendable, Hashable {
    public var name: String
    public var description: String
    public var installed: Bool
    /// Size of its files, to download or on disk.
    public var bytes: Int

    public init(name: String, description: String, installed: Bool, bytes: Int) {
        self.name = name
        self.description = description
        self.installed = installed
        self.bytes = bytes
    }
}

/// How far a download is.
public struct TransferProgress: Sendable, Hashable {
    public var file: String
    public var bytesDone: Int
    /// nil when the server does not say.
    public var bytesTotal: Int?
    public var bytesPerSecond: Double?

    public init(file: String, bytesDone: Int, bytesTotal: Int?, bytesPerSecond: Double? = nil) {
        self.file = file
        self.bytesDone = bytesDone
        self.bytesTotal = bytesTotal
        self.bytesPerSecond = bytesPerSecond
    }

    var fraction: Double? { bytesTotal.flatMap { $0 > 0 ? min(1, Double(bytesDone) / Double($0)) : nil } }
}

/// How far loading is.
public struct LoadProgress: Sendable, Hashable {
    /// What is being done, e.g. "uploading decoder weights".
    public var stage: String
    /// 0…1.
    public var fraction: Double

    public init(stage: String, fraction: Double) {
        self.stage = stage
        self.fraction = fraction
    }
}

/// What a person sends to the model.
public struct AnswerRequest: Sendable, Hashable {
    public var text: String
    public var audioPath: String?
    /// A language code such as "en"; nil lets the model find out.
    public var language: String?
    public var task: SpeechTask

    public init(text: String = "", audioPath: String? = nil, language: String? = nil, task: SpeechTask = .transcribe) {
        self.text = text
        self.audioPath = audioPath
        self.language = language
        self.task = task
    }
}
