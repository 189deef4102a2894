import Generation
import Planning

/// Work for the app. `update` itself has no side effects.
package enum Effect: Sendable, Hashable {
    case quit(ExitStatus)
    case listModels
    case load(String)
    case download(String)
    /// Frees the model on the device.
    case unload
    /// Stops the load or download.
    case cancelTransfer
    /// Records through the microphone, at most this long.
    case listen(seconds: Double)
    /// Ends the recording early; the sound arrives with `.listened`.
    case stopListening
    case answer(Int, GenerationRequest)
    case cancelAnswer
    case readMemory
    case readAbilities
    /// Forecasts the memory of models.
    case forecast([String])
    /// Plans the memory of a model.
    case plan(PlanRequest)
    /// Loads a picture's thumbnail.
    case loadThumbnail(String)
    /// Loads a recording's waveform.
    case loadWaveform(String)
    case complete(prefix: String, PathPurpose)
    /// Looks whether a line is the path of a file, or starts with one.
    case findFile(String)
    case store(StoreRequest)
    /// Writes the conversation to a file.
    case export(ExportFormat, path: String)
    /// Notes that the tour was shown.
    case markTourShown
    case suspend
    case redraw
    /// More attention rows are to be read than fit between two frames; `Event.catchUp` continues.
    case catchUp
}

extension Effect {
    static func keep(_ message: StoredMessage) -> Effect { .store(.keep(message)) }
}

/// The use of a completed path.
package enum PathPurpose: Sendable, Hashable {
    case sound, picture
    /// Either of them.
    case input
    case any

    package func fits(_ name: String) -> Bool {
        switch self {
        case .sound: Completion.isSound(name)
        case .picture: PictureFile.isNamed(name)
        case .input: Completion.isSound(name) || PictureFile.isNamed(name)
        case .any: true
        }
    }
}

/// The exit status of the program.
package struct ExitStatus: Sendable, Hashable {
    package var code: Int32
    package init(_ code: Int32) { self.code = code }

    package static let done = ExitStatus(0)
    /// The status that shells report for a signal.
    package static func signal(_ number: Int32) -> ExitStatus { ExitStatus(128 + number) }
}
