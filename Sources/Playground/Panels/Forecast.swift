import Foundation

/// What the message being typed will add to the context, before it is sent.
struct Forecast {
    var tokens: Int
    var bytes: Int?
    var fits: Bool
    var text: String

    /// nil while nothing is typed or attached, or the model keeps no conversation in its context.
    init?(_ state: State) {
        let typed = state.input.text
        guard let report = state.memory.report, !(typed.isEmpty && state.attachments.isEmpty), !typed.hasPrefix("/"),
            let inputs = state.engine.abilities?.inputs, !inputs.isDisjoint(with: [.text, .picture])
        else { return nil }
        var parts: [String] = []
        var tokens = 0
        if !typed.isEmpty {
            // As many characters to a token as in what was read so far; four before anything was.
            let sources = state.chat.messages.compactMap(\.source).flatMap(\.tokens).filter { !$0.isSpecial }
            let characters = sources.reduce(0) { $0 + $1.text.count }
            let ratio = sources.count >= 16 && characters > 0 ? Double(characters) / Double(sources.count) : 4
            let words = max(1, Int((Double(typed.count) / ratio).rounded()))
            tokens += words
            parts.append("≈ \(words) tokens typed")
        }
        if !state.attachments.isEmpty {
            // Pictures of one model take about as many tokens as the one before; of an unseen model nothing is known.
            let seen = state.chat.messages.last { !$0.pictures.isEmpty }?.pictures.last
            if let seen {
                let each = seen.patches.count + seen.overview.count + seen.blanks.count
                if seen.kind == .selfAttention { tokens += each * state.attachments.count }
                parts.append("≈ \(each) keys a picture")
            } else {
                parts.append("picture not reckoned before the first one")
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
