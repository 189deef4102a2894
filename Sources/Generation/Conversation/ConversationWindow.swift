/// The messages of a conversation in the prompt: all, until they no longer fit; then the oldest turns after the
/// system prompt are left out whole.
struct ConversationWindow {
    private var messages: [ChatMessage] = []
    /// Messages left out of that conversation.
    private var dropped = 0

    /// The prompt of the request's conversation, shortened where it has to be.
    ///
    /// Messages left out stay out in later turns. A conversation that must be shortened is trimmed to half of the
    /// context, so that later turns keep a cached prefix.
    /// - Parameter prompt: the tokens of messages.
    /// - Returns: the prompt, and how many messages it leaves out.
    /// - Throws: `GenerationError.messageTooLong` when even the last message alone does not fit; what `prompt` throws.
    mutating func fit(
        _ request: GenerationRequest, contextLength: Int, prompt: ([ChatMessage]) throws -> [Int]
    ) throws -> (prompt: [Int], dropped: Int) {
        let all = request.messages
        if !(all.count >= messages.count && all.starts(with: messages)) { dropped = 0 }
        let system = all.prefix { $0.role == .system }
        let turns = all.dropFirst(system.count)
        dropped = min(dropped, max(turns.count - 1, 0))
        let answer = max(min(request.text.maximumTokens, contextLength / 4), request.text.answerPrefix.count + 1)
        func tokens() throws -> [Int] { try prompt(Array(system + turns.dropFirst(dropped))) }
        var ids = try tokens()
        if ids.count + answer > contextLength {
            while ids.count > contextLength / 2 {
                // The next turn begins with the next message of the user's.
                let rest = turns.dropFirst(dropped + 1)
                guard let next = rest.firstIndex(where: { $0.role == .user }) else { break }
                dropped = next - turns.startIndex
                ids = try tokens()
            }
        }
        guard ids.count + request.text.answerPrefix.count < contextLength else {
            throw GenerationError.messageTooLong(
                tokens: ids.count + request.text.answerPrefix.count, maximum: contextLength - 1)
        }
        messages = all
        return (ids, dropped)
    }
}
