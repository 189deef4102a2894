import Media
import Models
import Tokenization

/// Prompts that mention pictures: the place of a picture in the text becomes the tokens the model was trained to see there.
package enum PicturePrompt {
    /// The tokens of a text in which the model's placeholder stands where pictures belong.
    ///
    /// Vocabularies of GGUF text models often lack the image token: the text is then encoded around it.
    /// - Parameter layouts: of the pictures, in the order of their placeholders.
    /// - Throws: `GenerationError.pictureCount` when the text has another number of placeholders than there are pictures.
    package static func tokens(
        _ text: String, layouts: [ImageLayout], model: any PictureReader, tokenizer: Tokenizer,
        addSpecialTokens: Bool = true
    ) throws -> [Int] {
        guard let placeholder = model.picturePlaceholder else {
            return tokenizer.encode(text, addSpecialTokens: addSpecialTokens)
        }
        if tokenizer.id(of: placeholder) != nil {
            return try expand(
                tokenizer.encode(text, addSpecialTokens: addSpecialTokens), layouts: layouts, model: model,
                tokenizer: tokenizer)
        }
        guard let token = model.pictureToken else { throw GenerationError.missingToken(placeholder) }
        let pieces = text.split(separator: placeholder, omittingEmptySubsequences: false)
        try require(pieces.count - 1, layouts)
        var tokens = tokenizer.encode(String(pieces[0]), addSpecialTokens: addSpecialTokens)
        for (piece, layout) in zip(pieces.dropFirst(), layouts) {
            tokens += Array(repeating: token, count: model.pictureTokens(for: layout))
            if !piece.isEmpty { tokens += tokenizer.encode(String(piece), addSpecialTokens: false) }
        }
        return tokens
    }

    /// Puts each picture's tokens in the place of its placeholder among `tokens`: what encoding the text with
    /// `pictureText` in it gives, as placeholders are tokens of their own.
    /// - Throws: `GenerationError.pictureCount` as `tokens(_:layouts:model:tokenizer:)`.
    package static func expand(
        _ tokens: [Int], layouts: [ImageLayout], model: any PictureReader, tokenizer: Tokenizer
    ) throws -> [Int] {
        guard let placeholder = model.picturePlaceholder else { return tokens }
        guard let id = tokenizer.id(of: placeholder) else { throw GenerationError.missingToken(placeholder) }
        let own = model.pictureToken
        try require(tokens.count { $0 == id }, layouts)
        var rest = layouts[...]
        return tokens.flatMap { token -> [Int] in
            guard token == id, let layout = rest.popFirst() else { return [token] }
            let expanded = tokenizer.encode(model.pictureText(for: layout), addSpecialTokens: false)
            // The configuration says which id the model replaces, whatever the tokenizer calls it.
            return own.map { own in expanded.map { $0 == id ? own : $0 } } ?? expanded
        }
    }

    private static func require(_ places: Int, _ layouts: [ImageLayout]) throws {
        guard places == layouts.count else {
            throw GenerationError.pictureCount(places: places, pictures: layouts.count)
        }
    }
}
