import Foundation
import Generation
import Planning
import Terminal

/// All that can happen to the screen. One queue carries it: keys, and what the engine's tasks report.
package indirect enum Event: Sendable {
    /// An event of a recorded session.
    case played(Event)
    /// The app is up; what was asked for on the command line.
    case started(model: String?, audio: String?)
    case input(InputEvent)
    /// A picture given on the command line.
    case attach(String)
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
    /// Something could not be read or written, and why; `loses`: this conversation is not kept.
    case storageFailed(String, loses: Bool)
    case conversations([ConversationStore.Summary])
    case conversationOpened([StoredMessage])
    /// What the loaded model reads and gives.
    case abilities(ModelAbilities?)
    /// What a model would take, or why that is not known.
    case planned(PlanFigures?, problem: String?)
    /// A picture was looked at, for the chat.
    case looked(String, Thumbnail?, problem: String?)
    case saved(path: String, TaskEnd)
    /// A recording was read, for the chat.
    case outlined(String, Waveform)
    /// The tour was never shown here.
    case tourDue
    /// The next part of what `Effect.catchUp` asked for.
    case catchUp
}

extension Event {
    var isPlayed: Bool { if case .played = self { true } else { false } }
}

/// How a task ended.
package enum TaskEnd: Sendable, Hashable {
    case done
    case cancelled
    case failed(String)
}

/// What the app is to do. `update` never does anything itself.
package enum Effect: Sendable, Hashable {
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
    case readAbilities
    /// Reckons what a model would take.
    case plan(PlanQuestion)
    /// Reads a picture, for the chat.
    case look(String)
    /// Reads a recording, for the chat.
    case outline(String)
    case complete(prefix: String, PathPurpose)
    case store(StoreRequest)
    case save(path: String, text: String)
    /// The tour need not come by itself again.
    case rememberTour
    case suspend
    case redraw
    /// There is more to reckon than fits between two frames: `Event.catchUp` goes on with it.
    case catchUp
}

/// What a completed path is for.
package enum PathPurpose: Sendable, Hashable {
    case sound, picture
    /// Either of them.
    case input
    case any

    func fits(_ name: String) -> Bool {
        switch self {
        case .sound: Completion.isSound(name)
        case .picture: Pictures.isPicture(name)
        case .input: Completion.isSound(name) || Pictures.isPicture(name)
        case .any: true
        }
    }
}

/// How the program ends.
package struct ExitStatus: Sendable, Hashable {
    package var code: Int32
    package init(_ code: Int32) { self.code = code }

    package static let done = ExitStatus(0)
    package static let failed = ExitStatus(1)
    /// As shells report the end by a signal.
    package static func signal(_ number: Int32) -> ExitStatus { ExitStatus(128 + number) }
}

/// A message as it is kept between runs.
package struct StoredMessage: Sendable, Hashable {
    package var position: Int
    package var author: String
    package var text: String
    package var audioPath: String?
    package var pictures: [String]
    package var date: Date
    /// `streaming`, `finished`, `stopped` or `failed`.
    package var progress: String

    package init(
        position: Int, author: String, text: String, audioPath: String? = nil, pictures: [String] = [], date: Date,
        progress: String
    ) {
        self.position = position
        self.author = author
        self.text = text
        self.audioPath = audioPath
        self.pictures = pictures
        self.date = date
        self.progress = progress
    }
}

extension Effect {
    static func keep(_ message: StoredMessage) -> Effect { .store(.keep(message)) }
}
