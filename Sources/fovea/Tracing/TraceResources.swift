import Generation
import Media
import Models
import Speech
import Tokenization

/// A model's tokenizers, image processor and chat format, made when a trace first needs them and kept for the next one.
final class TraceResources {
    let model: any Model
    let files: ModelFiles

    private var tokenizers: TokenizerPair?
    private var processor: (any ImageProcessor)?
    private var speech: SpeechTokens?
    private var format: ChatFormat?

    init(_ model: any Model, from files: ModelFiles) {
        self.model = model
        self.files = files
    }

    func tokenizerPair() throws -> TokenizerPair { try kept(&tokenizers) { try TokenizerPair(files) } }

    func tokenizer() throws -> Tokenizer { try tokenizerPair().target }

    func imageProcessor(of reader: any PictureReader) throws -> any ImageProcessor {
        try kept(&processor) { try reader.imageProcessor(of: files) }
    }

    func speechTokens() throws -> SpeechTokens { try kept(&speech) { try SpeechTokens(tokenizer()) } }

    func chatFormat() throws -> ChatFormat { try kept(&format) { try ChatFormat(from: files) } }

    private func kept<T>(_ value: inout T?, _ make: () throws -> T) throws -> T {
        if let value { return value }
        let made = try make()
        value = made
        return made
    }
}
