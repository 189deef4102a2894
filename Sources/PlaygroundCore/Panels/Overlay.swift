import Foundation
import Terminal

/// The box over the panels. It takes all keys while it is open.
package enum Overlay: Sendable, Hashable {
    case help(scroll: Int)
    case models(selected: Int)
    /// The models that read photographs.
    case photographModels(selected: Int)
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

    /// The table of overlays.
    var view: any OverlayView {
        switch self {
        case .help(let scroll): HelpScreen(scroll: scroll)
        case .models(let selected): ModelPicker(selected: selected)
        case .photographModels(let selected): PhotographModelPicker(selected: selected)
        case .conversations(let selected): ConversationPicker(selected: selected)
        case .deleteQuestion(let conversation): DeleteQuestion(conversation: conversation)
        case .plan: PlanView()
        case .quitQuestion: QuitQuestion()
        case .tour(let step): TourView(number: step)
        case .alternatives(let selected): AlternativesView(selected: selected)
        case .comparison(let scroll): ComparisonView(scroll: scroll)
        }
    }
}

/// The drawing and the keys of an overlay.
protocol OverlayView {
    func draw(_ state: State, onto canvas: inout Canvas)
    /// Handles a key. The overlay moves and closes by changing `state.overlay`.
    func handle(_ key: Key, _ state: inout State, _ now: Date) -> [Effect]
}
