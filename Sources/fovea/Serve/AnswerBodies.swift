import Generation

/// A value that is written as null where it is nil: clients of OpenAI's API expect the key.
struct Nullable<Value: Encodable>: Encodable {
    var value: Value?

    init(_ value: Value?) { self.value = value }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let value { try container.encode(value) } else { try container.encodeNil() }
    }
}

/// Log-probabilities of an answer's tokens, in the forms of the chat API and of the older completions API.
struct TokenProbabilities {
    struct Alternative: Encodable {
        let token: String
        let logprob: Float
        let bytes: [UInt8]
    }

    /// One token of `logprobs.content`; `token` is as the vocabulary spells it, `bytes` the text that it completes.
    struct Content: Encodable {
        let token: String
        let id: Int
        let logprob: Float
        let bytes: [UInt8]
        let topLogprobs: [Alternative]
    }

    struct Chat: Encodable { let content: [Content] }

    struct Completion: Encodable {
        let tokens: [String]
        let tokenLogprobs: [Float]
        let topLogprobs: [[String: Float]]
        let textOffset: [Int]
    }

    private let tokens: [GeneratedToken]

    init(_ tokens: [GeneratedToken]) { self.tokens = tokens }

    var chat: Chat {
        Chat(
            content: tokens.map { token in
                Content(
                    token: token.piece, id: token.id, logprob: Self.finite(token.logProbability),
                    bytes: Array(token.text.utf8),
                    topLogprobs: token.alternatives.map {
                        Alternative(
                            token: $0.piece, logprob: Self.finite($0.logProbability), bytes: Array($0.piece.utf8))
                    })
            })
    }

    /// - Parameter start: characters of the text before these tokens.
    func completion(from start: Int) -> Completion {
        var offset = start
        var offsets: [Int] = []
        for token in tokens {
            offsets.append(offset)
            offset += token.text.unicodeScalars.count
        }
        return Completion(
            tokens: tokens.map(\.piece), tokenLogprobs: tokens.map { Self.finite($0.logProbability) },
            topLogprobs: tokens.map { token in
                Dictionary(
                    token.alternatives.map { ($0.piece, Self.finite($0.logProbability)) }, uniquingKeysWith: max)
            }, textOffset: offsets)
    }

    /// JSON has no infinity; -9999 stands for it, as in OpenAI's answers.
    private static func finite(_ value: Float) -> Float { value.isFinite ? value : -9999 }
}

struct Usage: Encodable {
    let promptTokens: Int
    let completionTokens: Int
    let totalTokens: Int

    init(_ summary: GenerationSummary?, tokens: Int) {
        promptTokens = summary?.promptTokens ?? 0
        completionTokens = tokens
        totalTokens = promptTokens + tokens
    }
}

/// The extension `attention` of an answer.
struct AnswerAttention: Encodable {
    /// One layer at one token.
    struct Layer: Encodable {
        /// As `fovea trace` names the tensor: `step3.cross.5`.
        let name: String
        let shape: [Int]
        /// Greatest weights, row by row, and their keys.
        var weights: [Float]?
        var keys: [Int32]?
        /// Other forms: the number format, and bytes in base64.
        var dtype: String?
        var data: String?
    }

    /// Layers at one token: entry i belongs to `logprobs.content[i]`.
    struct Step: Encodable {
        let index: Int
        let layers: [Layer]
    }

    struct SourceToken: Encodable {
        let id: Int
        let text: String
    }

    struct Window: Encodable {
        let start: Double
        let duration: Double
    }

    /// Places of the input's parts among the keys.
    struct Geometry: Encodable {
        var pictures: [PictureGrid]?
        /// Key i is token i.
        var source: [SourceToken]?
        /// Windows of sound; a key is a 20 ms step in its window.
        var windows: [Window]?

        var isEmpty: Bool { pictures == nil && source == nil && windows == nil }
    }

    var geometry: Geometry?
    var steps: [Step]?
    /// Path of the safetensors file.
    var file: String?
}
