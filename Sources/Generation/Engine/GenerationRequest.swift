import AttentionTypes
import Media

/// What a loaded model is asked.
package struct GenerationRequest: Sendable {
    /// The whole conversation, the new turn last. What a model does with the turns before it is for it to know: see
    /// `ModelAbilities.holdsConversations`.
    package var messages: [ChatMessage]
    /// The recording that a model that listens writes down.
    package var sound: Recording?
    /// How speech is written down.
    package var speech: TranscriptionOptions
    /// How text is continued.
    package var text: TextOptions
    /// What is taken out of the model for this answer.
    package var interventions: Interventions

    package init(
        messages: [ChatMessage] = [], sound: Recording? = nil, speech: TranscriptionOptions = TranscriptionOptions(),
        text: TextOptions = TextOptions(), interventions: Interventions = .none
    ) {
        self.messages = messages
        self.sound = sound
        self.speech = speech
        self.text = text
        self.interventions = interventions
    }
}

/// How a text is continued.
package struct TextOptions: Sendable, Hashable {
    /// Which form a conversation is given for the model.
    package enum ChatForm: Sendable, Hashable {
        /// The checkpoint's own; a model that has none continues the last message.
        case automatic
        /// One by name, whatever the checkpoint says.
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
    /// Token ids the answer starts with, as if the model had said them. They are no events; the first token event has
    /// index `answerPrefix.count`, and its text goes on where theirs ends.
    package var answerPrefix: [Int] = []
    package var chatForm = ChatForm.automatic
    /// Hypotheses of a beam search; 1 is none. Tokens are then reported as soon as all hypotheses agree on them.
    package var beams = 1
    /// Exponent of the length that a beam's sum of log-probabilities is divided by.
    package var lengthPenalty = 1.0
    package var beamStopping = BeamStopping.heuristic

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
