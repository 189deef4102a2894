import Foundation
import PlaygroundCore
import Terminal

/// The conversation as a self-contained page with pictures. The attention of each token appears over the input when the
/// pointer rests on the token.
enum HTMLTranscript {
    static func text(of state: State) -> String {
        let messages = state.chat.messages
        let body = messages.indices.map { article($0, state) }.joined(separator: "\n")
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Conversation</title>
            <style>\(style)</style></head>
            <body><main>
            <h1>Conversation</h1>
            <p class="note">Rest the pointer on a word of an answer to see where the model read while it wrote it
            (\(AttentionPanel.choice(state))). It is attention, not explanation: it says where the model read, not why it wrote what it wrote.</p>
            \(body)
            </main><script>\(script(colors: state.attention.colorMap))</script></body></html>

            """
    }

    private static func article(_ index: Int, _ state: State) -> String {
        let message = state.chat.messages[index]
        switch message.author {
        case .person:
            let files = (message.audioPath.map { [$0] } ?? []) + message.attachments.map(\.path)
            let names = files.map { "<span class=\"file\">\(escaped(($0 as NSString).lastPathComponent))</span>" }
                .joined(separator: " ")
            return "<article class=\"person\"><h2>you</h2><p>\(names) \(escaped(message.text))</p></article>"
        case .program: return "<article class=\"program\"><p>\(escaped(message.text))</p></article>"
        case .model(let name):
            func spans(_ text: KeyPath<TokenRecord, String>) -> String {
                message.tokens.enumerated().filter { !$1.isSpecial && !$1[keyPath: text].isEmpty }.map {
                    number, token in
                    "<span class=\"t\" data-t=\"\(number)\" title=\"p \(Figures.fixed(Double(token.probability), 3))\">\(escaped(token[keyPath: text]))</span>"
                }.joined()
            }
            let words = message.tokens.isEmpty ? escaped(message.text) : spans(\.text)
            let thoughts =
                message.thoughts.isEmpty
                ? "" : "<details class=\"note\"><summary>Thoughts</summary><p>\(spans(\.thought))</p></details>"
            let maps = HTMLHeat.inputs(of: index, state)
            return """
                <article class="model" data-heat="\(escaped(maps.json))"><h2>\(escaped(name))</h2>\(maps.html)\(thoughts)<p class="answer">\(words)</p></article>
                """
        }
    }

    static func escaped(_ text: String) -> String {
        // By scalar: a quote with a combining mark is one character that is no quote, but browsers read the quote.
        var result = String.UnicodeScalarView()
        func append(_ entity: String) { result.append(contentsOf: entity.unicodeScalars) }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": append("&amp;")
            case "<": append("&lt;")
            case ">": append("&gt;")
            case "\"": append("&quot;")
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    private static let style = """
        body{background:#0d0f13;color:#d6dbe2;font:16px/1.5 system-ui,sans-serif}main{max-width:56rem;margin:2rem auto;padding:0 1rem}
        h2{font-size:1rem;color:#7fcb8b;margin:1.2rem 0 .2rem}.person h2{color:#6cb6ff}.note,.program{color:#8b93a1}
        .file{color:#e5a84b}.t{white-space:pre-wrap;border-radius:3px;cursor:default}.t:hover{outline:1px solid #e5a84b}
        .input{position:relative;display:inline-block;line-height:0;margin:.3rem 0}.input img{max-width:28rem;width:28rem;filter:brightness(.75)}
        .input i{position:absolute}.read{color:#aeb6c2;white-space:pre-wrap;border-left:3px solid #333;padding-left:.8rem}.read span{border-radius:3px}
        .time{position:relative;height:2rem;background:#14171c;width:100%}.time i{position:absolute;top:0;bottom:0}
        """

    /// Colors the parts of the input by the row of the token under the pointer.
    private static func script(colors: ColorMap) -> String {
        let steps = (0...99).map { "\"\(hex(colors.color(Float($0) / 99)))\"" }.joined(separator: ",")
        return """
            const C=[\(steps)];
            document.querySelectorAll('article.model').forEach(a=>{const h=JSON.parse(a.dataset.heat||'{}');const parts=[...a.querySelectorAll('[data-k]')];
            a.querySelectorAll('.t').forEach(t=>{t.onmouseenter=()=>{const row=h[t.dataset.t];if(!row)return;parts.forEach(p=>{const v=row[p.dataset.k]|0;
            p.style.background=C[v];p.style.opacity=p.tagName=='I'?Math.sqrt(v/99)*.85:1;if(p.tagName=='SPAN'){p.style.background=v>3?C[v]:'';p.style.color=v>60?'#101216':''}})};
            t.onmouseleave=()=>parts.forEach(p=>{p.style.background='';p.style.color='';if(p.tagName=='I')p.style.opacity=0})})});
            """
    }

    private static func hex(_ color: Color) -> String {
        "#" + String((color.rgb ?? 0) | 0x100_0000, radix: 16).dropFirst()
    }
}
