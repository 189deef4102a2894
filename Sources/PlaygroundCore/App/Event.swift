import Generation
import Media
import ModelStore
import Planning
import Terminal

/// An input event or a result of the engine. One queue carries all of them.
package indirect enum Event: Sendable, Codable {
    /// An event of a recorded session.
    case played(Event)
    /// The app started, with the options of the command line.
    case started(model: String?, audio: String?)
    case input(InputEvent)
    /// A picture given on the command line.
    case attach(String)
    /// A text to send, given on the command line.
    case ask(String)
    case device(String)
    case models([ModelChoice])
    case download(String, PullProgress)
    case downloaded(String, TaskEnd)
    case load(String, LoadProgress)
    case loaded(String, TaskEnd)
    /// Part of the answer with this number; `time` is in seconds of a steady clock.
    case answer(Int, GenerationEvent, time: Double)
    case answered(Int, TaskEnd)
    /// Loudness (0…1) of the newest microphone sound, and its total length.
    case microphoneLevel(level: Float, seconds: Double)
    /// The recording ended with this sound.
    case listened(Recording, TaskEnd)
    case memory(MemoryReport)
    /// A notice about the captured attention.
    case attentionNotice(String)
    /// Completions of the typed prefix.
    case completions(prefix: String, [String])
    /// A line is the path of a file, or is not.
    case fileFound(String, FoundFile?)
    /// Reading or writing conversations failed. `loses`: the current conversation is not saved.
    case storageFailed(String, loses: Bool)
    /// All changes are saved again after a failure.
    case storageRestored
    case conversations([ConversationSummary])
    case conversationOpened([StoredMessage])
    /// Inputs and outputs of the loaded model.
    case abilities(ModelAbilities?)
    /// The forecast of a model's memory, or nil where there is none.
    case forecast(String, MemoryForecast?)
    /// The memory plan of a model, or the reason there is none.
    case planned(MemoryPlan?, problem: String?)
    /// The thumbnail of a picture, or the reason there is none.
    case thumbnailLoaded(String, Thumbnail?, problem: String?)
    case saved(path: String, TaskEnd)
    /// The waveform of a recording.
    case waveformLoaded(String, Waveform)
    /// The tour was not shown on this machine yet.
    case tourDue
    /// Continues with the attention rows.
    case catchUp
}

extension Event {
    package var isPlayed: Bool { if case .played = self { true } else { false } }
}

/// The end of a task.
package enum TaskEnd: Sendable, Hashable, Codable {
    case done
    case cancelled
    case failed(String)
}
