import AttentionAnalysis
import Generation
import PlaygroundCore
import Support
import Terminal

/// Options of the playground.
package struct PlaygroundOptions: Sendable {
    /// The model to load; nil loads the first installed one, or asks.
    package var model: String?
    /// A recording to transcribe at the start.
    package var audio: String?
    /// Pictures to attach at the start.
    package var pictures: [String] = []
    /// A text to send at the start.
    package var prompt: String?
    /// The system prompt.
    package var system = ""
    /// Options of text generation.
    package var text = TextOptions()
    /// Options of transcription.
    package var speech = TranscriptionOptions()
    /// Draws with ASCII characters and eight colors.
    package var ascii: Bool
    package var colorMap: ColorMap?
    /// Drawing of pictures in pixels.
    package var graphics = GraphicsChoice.ask
    package var theme = ThemeName.auto
    /// Folder of saved conversations; nil saves none.
    package var dataFolder: String?
    /// Bytes of captured attention kept in memory before it spills to a temporary file, and the folder for that file;
    /// nil is the system's.
    package var attentionMemory = AttentionRecord.defaultMemoryLimit
    package var spillFolder: String?
    /// Records the session.
    package var recorder: SessionRecorder?
    /// Plays this session instead of using the engine; keys still work.
    package var replay: RecordedSession?
    /// Speed of the replay; 2 is twice as fast.
    package var replaySpeed = 1.0

    /// True if the options ask for nothing in particular, so that the tour may start.
    var isOpen: Bool { model == nil && audio == nil && pictures.isEmpty && prompt == nil && recorder == nil }

    package init(
        model: String? = nil, audio: String? = nil, language: String? = nil, task: SpeechTask = .transcribe,
        ascii: Bool = false,
        colorMap: ColorMap? = nil, dataFolder: String? = BaseDirectories().data
    ) {
        self.model = model
        self.audio = audio
        speech.language = language
        speech.task = task
        self.ascii = ascii
        self.colorMap = colorMap
        self.dataFolder = dataFolder
    }
}
