import AttentionTypes

/// The subject of the attention panel: an input in one of its views, and a token of the answer.
struct AttentionSubject {
    enum View {
        case sound(SoundView)
        case picture(PictureView)
        case words(SourceView)
        case matrix(SourceView)
    }

    var message: Int
    var view: View
    var kind: AttentionKind
    var token: TokenRecord?
    var place: TokenPlace?
    /// The timed word that contains the token, if known.
    var word: WordRecord?

    /// nil if there is no input to show.
    init?(_ state: State) {
        guard let message = state.shownMessage, let view = state.shownView else { return nil }
        let said = state.chat.messages[message]
        self.message = message
        kind = state.shownKind
        let place = state.shownToken
        if let place {
            token = said.tokens[place.token]
            self.place = place
        }
        switch view {
        case .sound:
            guard var sound = said.windows.last else { return nil }
            if let token {
                // A new window is shown before its first token arrives.
                if state.attention.selected == nil && state.engine.isAnswering && sound.index != token.window {
                    self.token = nil
                    self.place = nil
                } else if let own = said.windows.last(where: { $0.index == token.window }) {
                    sound = own
                    word = place.flatMap { said.word(ofToken: $0.token) }
                }
            }
            self.view = .sound(sound)
        case .picture:
            guard let picture = state.shownPicture else { return nil }
            self.view = .picture(picture)
        case .words, .matrix:
            guard let prompt = said.source else { return nil }
            // A decoder's keys are the prompt and the answer up to the token before this one.
            let source =
                kind == .selfAttention
                ? SourceView(prompt, answer: said.tokens.prefix(place?.token ?? said.tokens.count)) : prompt
            self.view = view == .words ? .words(source) : .matrix(source)
        }
    }

    /// Name of the input, for the corner of the panel.
    var title: String {
        switch view {
        case .sound(let sound):
            "window \(sound.index + 1)  \(Figures.time(sound.start))–\(Figures.time(sound.start + sound.duration))"
        case .picture(let picture): "\(picture.name) \(picture.width)×\(picture.height)"
        case .words(let source), .matrix(let source): "\(source.tokens.count) tokens read"
        }
    }
}
