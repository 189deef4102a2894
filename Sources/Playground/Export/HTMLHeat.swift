import AttentionAnalysis
import AttentionTypes
import PlaygroundCore

/// The input of an answer as parts of a page, and each token's attention to each part.
enum HTMLHeat {
    /// - Returns: the parts, each with its number as `data-k`; and by token a list of 0…99 for the parts, as JSON.
    static func inputs(of index: Int, _ state: State) -> (html: String, json: String) {
        let message = state.chat.messages[index]
        if let picture = message.pictures.last { return pictureParts(picture, message, state) }
        if let source = message.source { return wordParts(source, message, state) }
        if let window = message.windows.first { return timeParts(window, message, state) }
        return ("", "{}")
    }

    private static func pictureParts(_ picture: PictureView, _ message: Message, _ state: State) -> (String, String) {
        func percent(_ share: Double) -> String { Figures.fixed(share * 100, 2) }
        let parts = picture.patches.enumerated().map { number, patch in
            "<i data-k=\"\(number)\" style=\"left:\(percent(patch.left))%;top:\(percent(patch.top))%;width:\(percent(patch.right - patch.left))%;height:\(percent(patch.bottom - patch.top))%;opacity:0\"></i>"
        }.joined()
        let png = PNGData.data(picture.pixels).base64EncodedString()
        let html =
            "<div class=\"input\"><img alt=\"\(HTMLTranscript.escaped(picture.name))\" src=\"data:image/png;base64,\(png)\">\(parts)</div>"
        return (html, rows(message, state, picture.kind) { picture.heat(of: $0, blended: true) })
    }

    private static func wordParts(_ source: SourceView, _ message: Message, _ state: State) -> (String, String) {
        let parts = source.tokens.enumerated().map { number, token in
            "<span data-k=\"\(number)\">\(HTMLTranscript.escaped(token.isSpecial ? "" : token.text))</span>"
        }.joined()
        let kind: AttentionKind = message.capturedKinds.contains(.cross) ? .cross : .selfAttention
        return ("<p class=\"read\">\(parts)</p>", rows(message, state, kind) { Array($0.prefix(source.tokens.count)) })
    }

    /// Sound as a band of a hundred stretches of its first window.
    private static func timeParts(_ window: SoundView, _ message: Message, _ state: State) -> (String, String) {
        let share = window.length > 0 ? min(1, window.duration / window.length) : 1
        let parts = (0..<100).map { "<i data-k=\"\($0)\" style=\"left:\($0)%;width:1%;opacity:0\"></i>" }.joined()
        let html =
            "<div class=\"time\" title=\"\(Figures.time(window.start))–\(Figures.time(window.start + window.duration))\">\(parts)</div>"
        return (
            html,
            rows(message, state, .cross, window: window.index) {
                Pooling.max.pool($0, 0..<max(1, Int(Double($0.count) * share)), columns: 100)
            }
        )
    }

    /// The attention for the layers and heads selected on the screen, each token scaled by its maximum.
    private static func rows(
        _ message: Message, _ state: State, _ kind: AttentionKind, window: Int? = nil, _ parts: ([Float]) -> [Float]
    ) -> String {
        var entries: [String] = []
        for (number, token) in message.tokens.enumerated()
        where !token.isSpecial && (window == nil || token.window == window) {
            guard let record = token.record,
                let captured = (try? state.chat.record.attention(ofToken: record)).flatMap({
                    CapturedAttention($0, kind, rollout: message.source?.rollout ?? [])
                }),
                let row = captured.profile(layer: state.layers(of: kind), head: state.attention.head)
            else { continue }
            let strengths = HeatScale.linear.apply(to: parts(row)).map { String(Int($0 * 99)) }
            entries.append("\"\(number)\":[\(strengths.joined(separator: ","))]")
        }
        return "{\(entries.joined(separator: ","))}"
    }
}
