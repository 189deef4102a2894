import AttentionTypes
import Support
import Terminal

/// # Playground
/// The terminal app. One value, `State`, is everything the screen shows; `update` brings an event into it and names the
/// effects to carry out; `render` draws it. Only `PlaygroundApp` does anything else.

/// The state of the app: everything the screen shows.
package struct State: Sendable {
    package var size: Size
    package var theme: Theme
    package var focus: Focus = .input
    package var overlay: Overlay?
    package var chat = ChatState()
    package var input = InputLine()
    package var attention = AttentionState()
    package var memory = MemoryState()
    package var engine = EngineState()
    package var speech = SpeechSettings()
    package var text = TextSettings()
    /// The system prompt.
    package var systemPrompt = ""
    /// Pictures of the next message.
    package var attachments: [Attachment] = []
    /// The notice in the status line.
    package var notice: Notice?
    /// Ablations for repeated answers.
    package var interventions = Interventions.none
    /// The answers that are compared.
    package var comparison: Comparison?
    /// The tour starts when a model is loaded.
    var isTourDue = false
    /// The last list of saved conversations.
    package var conversations: [ConversationSummary] = []

    package init(size: Size, theme: Theme = Theme()) {
        self.size = size
        self.theme = theme
    }
}

/// The overlay on the screen.
package enum Overlay: Sendable, Hashable {
    case help(scroll: Int)
    case models(selected: Int)
    case conversations(selected: Int)
    case deleteQuestion(ConversationSummary)
    case plan
    case quitQuestion
    /// The tour of the screen.
    case tour(step: Int)
    /// The alternatives of the selected token.
    case alternatives(selected: Int)
    /// Two answers side by side.
    case comparison(scroll: Int)
}

package struct Notice: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case information, warning, error }
    package var kind: Kind
    package var text: String

    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = Sanitizer.cells.line(text)
    }
}
