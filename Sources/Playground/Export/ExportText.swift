import PlaygroundCore

extension ExportFormat {
    /// The conversation in this format.
    func text(of state: State) -> String {
        switch self {
        case .md: MarkdownTranscript.text(of: state.chat.messages)
        case .json: JSONTranscript.text(of: state.chat.messages)
        case .html: HTMLTranscript.text(of: state)
        }
    }
}
