import AttentionTypes
import Generation

/// A request to answer a conversation or to transcribe a recording.
package struct AnswerRequest: Sendable, Hashable {
    /// The conversation, the new turn last; empty for a recording.
    package var messages: [ChatMessage]
    package var audioPath: String?
    /// A microphone recording, instead of a file.
    package var spoken: SpokenSound?
    /// A language code such as "en"; nil detects the language.
    package var language: String?
    package var task: SpeechTask
    package var text: TextSettings
    /// Tokens the answer starts with, as if the model had generated them.
    package var prefix: [Int]
    /// Ablations for this answer.
    package var interventions: Interventions

    package init(
        messages: [ChatMessage] = [], audioPath: String? = nil, spoken: SpokenSound? = nil, language: String? = nil,
        task: SpeechTask = .transcribe, text: TextSettings = TextSettings(), prefix: [Int] = [],
        interventions: Interventions = .none
    ) {
        self.messages = messages
        self.audioPath = audioPath
        self.spoken = spoken
        self.language = language
        self.task = task
        self.text = text
        self.prefix = prefix
        self.interventions = interventions
    }
}

/// Options of text generation.
package struct TextSettings: Sendable, Hashable {
    package var sampling = SamplingOptions()
    package var maximumTokens = 512

    package init() {}
}
