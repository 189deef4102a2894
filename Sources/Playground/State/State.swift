import Checkpoint
import AttentionTypes
import Foundation
import Generation
import Support
import Planning
import Terminal

/// # Playground
/// The terminal app. One value, `State`, is everything the screen shows; `update` brings an event into it and names the
/// effects to carry out; `render` draws it. Only `PlaygroundApp` does anything else.

/// Everything the screen shows.
package struct State: Sendable {
    package internal(set) var size: Size
    package internal(set) var theme: Theme
    package internal(set) var focus: Focus = .input
    package internal(set) var overlay: Overlay?
    package internal(set) var chat = ChatState()
    package internal(set) var input = InputLine()
    package internal(set) var attention = AttentionState()
    package internal(set) var memory = MemoryState()
    package internal(set) var engine = EngineState()
    package internal(set) var speech = SpeechSettings()
    package internal(set) var text = TextSettings()
    /// Said to the model before everything else.
    package internal(set) var systemPrompt = ""
    /// Pictures that go with the next message.
    package internal(set) var attachments: [Attachment] = []
    /// A line for the status bar: what just happened, or what is wrong.
    package internal(set) var notice: Notice?
    /// What is taken out of the model for answers that are asked for again.
    package internal(set) var interventions = Interventions.none
    /// The answers that are compared.
    package internal(set) var comparison: Comparison?
    /// This is a first start: the tour comes when a model is loaded.
    var isTourDue = false
    /// Kept conversations, as they were listed last.
    package internal(set) var conversations: [ConversationStore.Summary] = []

    package init(size: Size, theme: Theme = Theme()) {
        self.size = size
        self.theme = theme
    }
}

/// Which part of the screen the keys go to.
package enum Focus: String, Sendable, Hashable, CaseIterable {
    case input, chat, attention, memory

    var next: Focus { Self.allCases[(Self.allCases.firstIndex(of: self)! + 1) % Self.allCases.count] }
    var previous: Focus {
        Self.allCases[(Self.allCases.firstIndex(of: self)! + Self.allCases.count - 1) % Self.allCases.count]
    }
}

/// What lies over the screen.
package enum Overlay: Sendable, Hashable {
    case help(scroll: Int)
    case models(selected: Int)
    case conversations(selected: Int)
    case deleteQuestion(ConversationStore.Summary)
    case plan
    case quitQuestion
    /// What the screen is, step by step.
    case tour(step: Int)
    /// What else might have stood at the selected token's place.
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

package struct SpeechSettings: Sendable, Hashable {
    /// nil: the model finds out.
    package var language: String?
    package var task: SpeechTask = .transcribe
}

/// The model and what it is doing.
package struct EngineState: Sendable {
    package enum Phase: Sendable, Hashable {
        case idle
        case downloading(String, TransferProgress?)
        case loading(String, LoadProgress)
        /// Recording through the microphone: heard so far, and at most, in seconds.
        case listening(Double, of: Double)
        case encoding
        case decoding
        case stopping
        case failed(String)
    }

    package var device = ""
    package var models: [ModelChoice] = []
    package var modelsKnown = false
    package var model: String?
    /// What the loaded model reads and gives; nil until it is known.
    package var abilities: ModelAbilities?
    package var phase: Phase = .idle
    /// What the loaded model's makers offer to try it on.
    package var sample: ModelSample?
    /// Asked for on the command line, loaded as soon as the list of models is known.
    var wanted: String?
    /// Sent as soon as a model is loaded.
    var waiting: AnswerRequest?
    package var rate = TokenRate()

    /// The model as the screen calls it: the last part of a path.
    var modelName: String? { model.map { $0.contains("/") ? (($0 as NSString).lastPathComponent) : $0 } }

    package var isBusy: Bool {
        switch phase {
        case .idle, .failed: false
        default: true
        }
    }

    package var isAnswering: Bool {
        switch phase {
        case .encoding, .decoding, .stopping: true
        default: false
        }
    }
}

/// Tokens per second over the last tokens.
package struct TokenRate: Sendable {
    private var times: [Double] = []
    package private(set) var perSecond: Double?

    /// - Parameter time: seconds on any steady clock.
    mutating func count(at time: Double) {
        times.append(time)
        if times.count > 17 { times.removeFirst() }
        if let first = times.first, times.count > 2, time > first {
            perSecond = Double(times.count - 1) / (time - first)
        }
    }

    mutating func settle(_ value: Double) {
        times = []
        if value > 0 { perSecond = value }
    }

    mutating func restart() { times = [] }
}

/// Device memory now and lately.
package struct MemoryState: Sendable {
    package var report: MemoryReport?
    package var peak = 0
    /// Accounted bytes, oldest first.
    package var history: [Int] = []
    static let historyLength = 240
    /// What `/plan` found, or why it found nothing.
    var plan: PlanFigures?
    /// What it was asked.
    var planQuestion: PlanQuestion?
    var planProblem: String?
}
