import AttentionTypes
import Media

/// A request to a loaded model.
package struct GenerationRequest: Sendable, Hashable {
    /// The whole conversation, the new turn last. Models may use the last message alone: see
    /// `ModelAbilities.holdsConversations`.
    package var messages: [ChatMessage]
    /// The sound for a speech model.
    package var sound: SoundInput?
    /// Options of transcription.
    package var speech: TranscriptionOptions
    /// Options of text generation.
    package var text: TextOptions
    /// Ablation for this answer.
    package var interventions: Interventions

    package init(
        messages: [ChatMessage] = [], sound: SoundInput? = nil, speech: TranscriptionOptions = TranscriptionOptions(),
        text: TextOptions = TextOptions(), interventions: Interventions = .none
    ) {
        self.messages = messages
        self.sound = sound
        self.speech = speech
        self.text = text
        self.interventions = interventions
    }
}

/// Sound for a speech model: a file that is still to be decoded, or samples.
package enum SoundInput: Sendable, Hashable {
    case file(path: String)
    case recording(Recording)

    /// The samples. A file that is cut off gives the sound that is there.
    /// - Throws: `MediaError`.
    package func recording() throws(MediaError) -> Recording {
        switch self {
        case .file(let path): try AudioFile.load(path: path, acceptTruncated: true)
        case .recording(let recording): recording
        }
    }
}

/// Options of text generation.
package struct TextOptions: Sendable, Hashable {
    /// Chat format of the conversation.
    package enum ChatForm: Sendable, Hashable {
        /// The checkpoint's own; a model that has none continues the last message.
        case automatic
        /// A format by name, instead of the checkpoint's.
        case named(String)
        /// None: the last message is continued as it is.
        case raw
    }

    package var sampling = SamplingOptions()
    package var maximumTokens = 512
    /// Strings that end the answer; they are not part of it.
    package var stopStrings: [String] = []
    /// Alternatives reported for each token.
    package var alternatives = 0
    /// Token ids the answer starts with, as if the model had generated them. They are not emitted; the first token event has
    /// index `answerPrefix.count`, and its text goes on where theirs ends.
    package var answerPrefix: [Int] = []
    package var chatForm = ChatForm.automatic
    /// The template's switch for thoughts before the answer; nil leaves the template's default.
    package var thinking: Bool?
    /// Thoughts of an answer; set by the session of a conversation.
    struct Thoughts: Sendable, Hashable {
        var marks: ThoughtMarks
        /// The prompt ends within thoughts.
        var areOpen: Bool
    }
    var thoughts: Thoughts?
    /// Hypotheses of a beam search; 1 is none. Tokens are then reported as soon as all hypotheses agree on them.
    package var beams = 1
    /// Exponent of the length that a beam's sum of log-probabilities is divided by.
    package var lengthPenalty = 1.0
    package var beamStopping = BeamStopping.heuristic
    /// Languages of a translation, as `LanguageCodes.code(of:)` takes them; nil leaves the checkpoint's.
    package var sourceLanguage: String?
    package var targetLanguage: String?

    package init() {}

    /// - Throws: ``GenerationError/invalidOption(name:value:allowed:)``.
    func validate() throws {
        try sampling.validate()
        guard maximumTokens > 0 else {
            throw GenerationError.invalidOption(name: "maximum tokens", value: "\(maximumTokens)", allowed: "1 or more")
        }
        guard beams > 0 else {
            throw GenerationError.invalidOption(name: "beams", value: "\(beams)", allowed: "1 or more")
        }
        guard beams == 1 || sampling.temperature == 0 else {
            throw GenerationError.invalidOption(
                name: "temperature", value: "\(sampling.temperature)",
                allowed: "0 with beams: beam search does not draw")
        }
        guard alternatives >= 0 else {
            throw GenerationError.invalidOption(name: "alternatives", value: "\(alternatives)", allowed: "0 or more")
        }
    }
}
