/// Estimate of the context that the message being typed will take.
struct ContextForecast {
    var tokens: Int
    var bytes: Int?
    var fits: Bool
    var text: String

    /// nil if nothing is typed or attached, or if the model has no context for text.
    init?(_ state: State) {
        let typed = state.input.text
        guard let report = state.memory.report, !(typed.isEmpty && state.attachments.isEmpty), !typed.hasPrefix("/"),
            let inputs = state.engine.abilities?.inputs, !inputs.isDisjoint(with: [.text, .picture])
        else { return nil }
        var parts: [String] = []
        var tokens = 0
        if !typed.isEmpty {
            // Characters per token of the text read so far; four before any was read.
            let sources = state.chat.messages.compactMap(\.source).flatMap(\.tokens).filter { !$0.isSpecial }
            let characters = sources.reduce(0) { $0 + $1.text.count }
            let ratio = sources.count >= 16 && characters > 0 ? Double(characters) / Double(sources.count) : 4
            let words = max(1, Int((Double(typed.count) / ratio).rounded()))
            tokens += words
            parts.append("≈ \(words) tokens typed")
        }
        if !state.attachments.isEmpty {
            // Pictures of one model take about the same number of tokens; before the first one the number is unknown.
            let seen = state.chat.messages.last { !$0.pictures.isEmpty }?.pictures.last
            if let seen {
                let each = seen.patches.count + seen.overview.count + seen.blanks.count
                if seen.kind == .selfAttention { tokens += each * state.attachments.count }
                parts.append("≈ \(each) keys a picture")
            } else {
                parts.append("picture size unknown before the first one")
            }
        }
        self.tokens = tokens
        bytes = report.bytesPerToken.map { $0 * tokens }
        fits = report.tokensLeft.map { tokens <= $0 } ?? true
        if let bytes, tokens > 0 { parts.append("+ \(Figures.bytes(bytes)) KV") }
        if let left = report.tokensLeft {
            parts.append(fits ? "\(left - tokens) tokens left" : "\(tokens - left) too many")
        }
        text = parts.joined(separator: " · ")
    }
}
