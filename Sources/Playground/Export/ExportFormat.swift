import Foundation

/// The forms a conversation is written to a file in.
enum ExportFormat: String, CaseIterable {
    case md, json, html

    func text(of state: State) -> String {
        switch self {
        case .md: Transcript.markdown(state.chat.messages)
        case .json: JSONTranscript.text(of: state.chat.messages)
        case .html: HTMLTranscript.text(of: state)
        }
    }
}
