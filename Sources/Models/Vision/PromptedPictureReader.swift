import Media
import Transformer

/// A model whose encoder reads a picture and, behind it, a prompt; its decoder attends to both.
package protocol PromptedPictureReader: PictureReader {
    /// Keys of cross-attention that are the picture's; the prompt's tokens follow.
    var pictureRows: Int { get }
    /// The tokens of a prompt of no words.
    var emptyPrompt: [Int] { get }
    /// Tokens that prompts may have.
    var promptVocabulary: Int { get }
    /// The prompt that a text stands for, such as a task's mark.
    /// - Throws: `ModelError.task` for a mark that the model does not know.
    func promptText(for text: String) throws -> String
    /// Encodes a picture and a prompt, and caches every block's cross-attention keys and values.
    /// - Parameter tokens: the whole prompt, as the tokenizer gives it.
    /// - Throws: `TransformerError` for pixels of another size, and for a prompt that is too long.
    func encode(_ picture: ProcessedImage, tokens: [Int]) throws
}

extension PromptedPictureReader {
    package var promptedPictureReader: (any PromptedPictureReader)? { self }
    package var capabilities: ModelCapabilities { .init(inputs: [.pictures, .sourceText], watchedAttention: .cross) }

    package var mostPictures: Int? { 1 }
    package var picturePlaceholder: String? { nil }
    package func pictureText(for layout: ImageLayout) -> String { "" }
    package func pictureTokens(for layout: ImageLayout) -> Int { 0 }

    package func readPictures(_ pictures: [ProcessedImage], keeping count: Int) throws {
        _ = try decoder.loaded()
        guard pictures.count == 1 else {
            throw TransformerError.inputShape(what: "the list of pictures", expected: [1], actual: [pictures.count])
        }
        if count == 0 { try encode(pictures[0], tokens: emptyPrompt) }
    }
}
