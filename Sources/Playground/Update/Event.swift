import Foundation
import Generation
import Telemetry
import Terminal

/// All that can happen to the screen. One queue carries it: keys, and what the engine's tasks report.
public enum Event: Sendable {
    /// The app is up; what was asked for on the command line.
    case started(model: String?, audio: String?)
    case input(InputEvent)
    case device(String)
    case models([ModelChoice])
    case download(String, TransferProgress)
    case downloaded(String, TaskEnd)
    case load(String, LoadProgress)
    case loaded(String, TaskEnd)
    /// Part of the answer with this number; `time` is in seconds of a steady clock.
    case answer(Int, GenerationEvent, time: Double)
    case answered(Int, TaskEnd)
    /// The microphone gave another stretch of sound, this loud (0…1); `seconds` in all.
    case heard(level: Float, seconds: Double)
    /// The recording ended, with what was heard until then.
    case listened(SpokenSound, TaskEnd)
    case memory(MemoryReport)
    /// Something a person should know about the kept attention.
    case attentionNotice(String)
    /// What Tab may put in place of the typed prefix.
    case completions(prefix: String, [String])
    /// Conversations cannot be kept any more, and why.
    case storageFailed(String)
    case saved(path: String, TaskEnd)
}

/// How a task ended.
public enum TaskEnd: Sendable, Hashable {
    case done
    case cancelled
    case failed(String)
}

/// What the app is to do. `update` never does anything itself.
public enum Effect: Sendable, Hashable {
    case quit(ExitStatus)
    case listModels
    case load(String)
    case download(String)
    /// Takes the model off the device.
    case unload
    /// Stops the load or download.
    case cancelTransfer
    /// Records through the microphone, no longer than this.
    case listen(seconds: Double)
    /// Ends the recording early; what was heard comes with `.listened`.
    case stopListening
    case answer(Int, AnswerRequest)
    case cancelAnswer
    case readMemory
    case complete(prefix: String, PathPurpose)
    case keep(StoredMessage)
    case save(path: String, text: String)
    case suspend
    case redraw
}

/// What a completed path is for.
public enum PathPurpose: Sendable, Hashable { case sound, any }

/// How the program ends.
public struct ExitStatus: Sendable, Hashable {
    public var code: Int32
    public init(_ code: Int32) { self.code = code }

    public static let done = ExitStatus(0)
    public static let failed = ExitStatus(1)
    /// As shells report the end by a signal.
    public static func signal(_ number: Int32) -> ExitStatus { ExitStatus(128 + number) }
}

/// A message as it is kept between runs.
public struct StoredMessage: Sendable, Hashable {
    public var position: Int
    public var author: String
    public var text: String
    public var audioPath: String?
    public var date: Date
    /// `streaming`, `finished`, `stopped` or `failed`.
    public var progress: String
}
