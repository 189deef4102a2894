import AttentionTypes
import Generation
import Support
import Terminal

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
    package var speech = TranscriptionOptions()
    package var text = TextOptions()
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

package struct Notice: Sendable, Hashable {
    package enum Kind: Sendable, Hashable { case information, warning, error }
    package var kind: Kind
    package var text: String

    init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = Sanitizer.cells.line(text)
    }
}
