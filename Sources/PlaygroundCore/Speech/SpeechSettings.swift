import Generation

package struct SpeechSettings: Sendable, Hashable {
    /// nil: the model finds out.
    package var language: String?
    package var task: SpeechTask = .transcribe

    package init(language: String? = nil, task: SpeechTask = .transcribe) {
        self.language = language
        self.task = task
    }
}
