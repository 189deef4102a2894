import NumberFormats
import Foundation
import Media
import Models
import Tokenization
import Transformer

/// The pictures of a conversation, for a model whose text refers to them: read from files once, kept by the model from
/// turn to turn.
final class ChatPictures {
    /// A file as it was when it was read.
    fileprivate struct Source: Hashable {
        let path: String
        let changed: Date?

        init(_ path: String) {
            self.path = path
            changed = try? FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date
        }
    }

    let model: any PictureReader
    private let files: ModelFiles
    /// Made for the first picture: a model that is only talked to needs none.
    private var processor: (any ImageProcessor)?
    private let check: PictureCheck?
    private let tokenizer: Tokenizer
    private var loaded: [Source: LoadedPicture] = [:]
    /// Pictures that the model has encoded.
    private var read: [Source] = []

    /// - Throws: `JSONError` for a damaged picture check.
    init(_ model: any PictureReader, from files: ModelFiles, tokenizer: Tokenizer) throws {
        self.model = model
        check = try PictureCheck(of: files)
        self.files = files
        self.tokenizer = tokenizer
    }

    /// Pictures of messages, in order.
    struct Shown {
        fileprivate let sources: [Source]
        let pictures: [LoadedPicture]
        var layouts: [ImageLayout] { pictures.map(\.processed.layout) }

        /// True if these start with the pictures of `other`.
        func begins(with other: Shown) -> Bool { sources.starts(with: other.sources) }
    }

    /// - Throws: `MediaError` for a file that is no picture; `ModelError` where the files do not say how pictures are prepared.
    func load(_ messages: [ChatMessage]) throws -> Shown {
        let sources = messages.flatMap(\.pictures).map(Source.init)
        let pictures = try sources.map { source in
            if let known = loaded[source] { return known }
            let processor = try self.processor ?? model.imageProcessor(of: files)
            self.processor = processor
            let picture = try LoadedPicture(path: source.path, processor: processor, check: check)
            loaded[source] = picture
            return picture
        }
        return Shown(sources: sources, pictures: pictures)
    }

    /// Lets the model read what it has not read yet, and forgets files that are not shown any more.
    /// - Parameter anew: everything is read again: the tower itself was changed.
    /// - Returns: true if a picture was read.
    func show(_ shown: Shown, anew: Bool) throws -> Bool {
        let kept = anew ? 0 : zip(read, shown.sources).prefix { $0 == $1 }.count
        if kept == read.count, kept == shown.sources.count { return false }
        read = []
        try model.readPictures(shown.pictures.map(\.processed), keeping: kept)
        read = shown.sources
        loaded = loaded.filter { shown.sources.contains($0.key) }
        return kept < shown.sources.count
    }

    // MARK: Prompts

    /// The tokens of a conversation, with those that the pictures take.
    func tokens(_ text: ChatText, _ shown: Shown) throws -> [Int] {
        guard let placeholder = model.picturePlaceholder, tokenizer.id(of: placeholder) == nil,
            let token = model.pictureToken
        else {
            return try PicturePrompt.expand(
                text.tokens(tokenizer), layouts: shown.layouts, model: model, tokenizer: tokenizer)
        }
        // Vocabularies of GGUF text models may lack the image token: the text is encoded around it.
        let parts = text.split(at: placeholder)
        guard parts.count - 1 == shown.layouts.count else {
            throw GenerationError.pictureCount(places: parts.count - 1, pictures: shown.layouts.count)
        }
        var tokens = parts[0].tokens(tokenizer)
        for (part, layout) in zip(parts.dropFirst(), shown.layouts) {
            tokens += Array(repeating: token, count: model.pictureTokens(for: layout))
            tokens += tokenizer.encode(part.segments.map { ($0.text, $0.isMarkup) }, addSpecialTokens: false)
        }
        return tokens
    }

    /// The tokens of what a conversation goes on with, where `count` pictures were before it; nil where that has to be
    /// encoded with all that comes before.
    func tokens(continuing ids: [Int], _ shown: Shown, after count: Int) throws -> [Int]? {
        let new = Array(shown.layouts.dropFirst(count))
        if new.isEmpty { return ids }
        guard let placeholder = model.picturePlaceholder, tokenizer.id(of: placeholder) != nil else { return nil }
        return try PicturePrompt.expand(ids, layouts: new, model: model, tokenizer: tokenizer)
    }

    /// The tokens of a text that is continued as it is: its placeholders are where the pictures go; without any they go first.
    func tokens(raw text: String, _ shown: Shown) throws -> [Int] {
        var text = text
        if let placeholder = model.picturePlaceholder, !text.contains(placeholder) {
            text = String(repeating: placeholder, count: shown.layouts.count) + text
        }
        return try PicturePrompt.tokens(text, layouts: shown.layouts, model: model, tokenizer: tokenizer)
    }

    /// The pictures for display, for a prompt of these tokens.
    /// - Parameter first: number of the first one in the conversation.
    func inputs(_ shown: Shown, in tokens: [Int], from first: Int) -> [PictureInput] {
        let keys = model.pictureKeys(shown.layouts, in: tokens)
        return zip(shown.pictures.indices, shown.pictures).map {
            $1.input(index: first + $0, model: model, keys: keys[$0])
        }
    }
}

extension ChatText {
    /// The parts between the placeholders that the format wrote; message text is never taken for one.
    fileprivate func split(at placeholder: String) -> [ChatText] {
        var parts = [ChatText()]
        for segment in segments {
            guard segment.isMarkup else {
                parts[parts.count - 1].content(segment.text)
                continue
            }
            for (index, piece) in segment.text.split(separator: placeholder, omittingEmptySubsequences: false)
                .enumerated()
            {
                if index > 0 { parts.append(ChatText()) }
                parts[parts.count - 1].markup(String(piece))
            }
        }
        return parts
    }
}
