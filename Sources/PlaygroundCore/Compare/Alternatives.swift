import Foundation
import Generation

// Continuing an answer from another token.
extension State {
    /// Answers the same question again with `token` at `place`: the tokens before it stay, the rest is generated.
    mutating func rerun(from place: TokenPlace, with token: Int, spelled: String, probability: Float, _ now: Date)
        -> [Effect]
    {
        guard isFreeToSend() else { return [] }
        guard let question = question(of: place.message), question.audioPath == nil, question.spoken == nil else {
            say(.warning, "only text answers can be continued from a token")
            return []
        }
        let before = Array(chat.messages[place.message].tokens.prefix(place.token))
        // For a token that was not chosen only its vocabulary spelling is known.
        let text = spelled.replacing("Ġ", with: " ").replacing("▁", with: " ").replacing("Ċ", with: "\n")
        let chosen = TokenRecord(
            GeneratedToken(
                index: before.count, id: token, text: text, piece: spelled,
                logProbability: Foundation.log(max(probability, 1e-30))), record: nil)
        return variant(of: place.message, prefix: before.map(\.id) + [token], shownPrefix: before + [chosen], now)
    }

    /// The message that an answer replies to.
    func question(of answer: Int) -> Message? {
        chat.messages[..<answer].lastIndex { $0.author == .person }.map { chat.messages[$0] }
    }

    /// Answers the question of an answer again, for comparison.
    mutating func variant(of answer: Int, prefix: [Int] = [], shownPrefix: [TokenRecord] = [], _ now: Date) -> [Effect]
    {
        guard engine.model != nil, !engine.isBusy else {
            say(.warning, "the model is not ready")
            return []
        }
        guard let asked = chat.messages[..<answer].lastIndex(where: { $0.author == .person }) else { return [] }
        let original = chat.messages[answer].variantOf ?? answer
        var request = request(upTo: asked)
        if let audio = chat.messages[asked].audioPath { request = self.request(for: audio) }
        request.text.answerPrefix = prefix
        request.interventions = interventions
        let effects = start(request, now)
        chat.messages[chat.messages.count - 1].variantOf = original
        chat.messages[chat.messages.count - 1].change =
            prefix.isEmpty
            ? ablationWords
            : "continued from token \(prefix.count)" + (interventions.isEmpty ? "" : ", " + ablationWords)
        // The given tokens are shown as part of the answer, without attention.
        chat.messages[chat.messages.count - 1].tokens = shownPrefix.map { token in
            var token = token
            token.record = nil
            return token
        }
        chat.messages[chat.messages.count - 1].givenTokens = prefix.count
        comparison = Comparison(original: original, variant: chat.messages.count - 1)
        return effects
    }
}

/// Two answers to one question.
package struct Comparison: Sendable, Hashable {
    package var original: Int
    package var variant: Int
}
