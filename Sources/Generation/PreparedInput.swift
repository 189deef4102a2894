import AttentionTypes
import Media
import Tokenization

/// The input a model attends to, in a form for display.
package enum PreparedInput: Sendable, Codable {
    case audio(AudioWindow)
    case picture(PictureInput)
    case source(SourceText)
}

/// One 30-second window of sound as the model sees it.
package struct AudioWindow: Sendable, Hashable, Codable {
    package let index: Int
    /// Seconds from the start of the recording.
    package let start: Double
    /// Seconds of actual sound in the window (the rest is padding).
    package let duration: Double
    package let mels: Int
    /// Mel frames, 10 ms each; encoder positions are half as many (20 ms each).
    package let frames: Int
    /// Log-mel energies `[mels, frames]` as fed to the encoder.
    @HalfFloats package private(set) var logMel: [Float]
    /// The language in use, e.g. "en", and its probability when it was detected.
    package let language: String?
    package let languageProbability: Float?

    package init(
        index: Int, start: Double, duration: Double, mels: Int, frames: Int, logMel: [Float], language: String? = nil,
        languageProbability: Float? = nil
    ) {
        self.index = index
        self.start = start
        self.duration = duration
        self.mels = mels
        self.frames = frames
        self.logMel = logMel
        self.language = language
        self.languageProbability = languageProbability
    }
}

/// A picture as the model sees it, with the attention keys of its parts.
package struct PictureInput: Sendable, Codable {
    /// Number of the picture in the conversation, from 0.
    package let index: Int
    /// The file's name. Untrusted.
    package let name: String
    /// The upright picture for display; possibly smaller than the file's.
    package let picture: RGBImage
    /// Pixels of the upright picture in the file: what `PatchKey.rectangle` counts in.
    package let width: Int
    package let height: Int
    /// The attention whose keys are the picture: `.cross`, or `.selfAttention` where a model has no cross-attention to
    /// pictures and what is shown is the slice of decoder self-attention that falls on the picture's tokens.
    package let kind: AttentionKind
    /// The keys that stand for the picture, ascending.
    package let keys: [PatchKey]
    /// False for a picture that is not of the kind that the model was trained on; nil where the model has no check.
    package let isFamiliar: Bool?

    package init(
        index: Int, name: String, picture: RGBImage, width: Int, height: Int, kind: AttentionKind, keys: [PatchKey],
        isFamiliar: Bool? = nil
    ) {
        self.index = index
        self.name = name
        self.picture = picture
        self.width = width
        self.height = height
        self.kind = kind
        self.keys = keys
        self.isFamiliar = isFamiliar
    }
}

/// The text a model reads. Token i is key i of the shown attention: cross-attention to an encoder's output, or self-attention
/// to the prompt.
package struct SourceText: Sendable, Hashable, Codable {
    package struct Token: Sendable, Hashable, Codable {
        package let id: Int
        /// The text it stands for, blanks included. Untrusted.
        package let text: String
        /// As the vocabulary spells it.
        package let piece: String
        package let isSpecial: Bool

        package init(id: Int, text: String, piece: String, isSpecial: Bool) {
            self.id = id
            self.text = text
            self.piece = piece
            self.isSpecial = isSpecial
        }
    }

    package let tokens: [Token]
    /// Share of each token in each position of the encoder's output, `[tokens, tokens]`: attention rollout through the
    /// encoder's layers (`AttentionRollout`). Empty where there is no encoder, or the text is long.
    package let rollout: [Float]

    package init(tokens: [Token], rollout: [Float] = []) {
        self.tokens = tokens
        self.rollout = rollout
    }
}

extension SourceText {
    /// Tokens with their texts; a character of several tokens comes with the last of them.
    init(_ ids: [Int], tokenizer: Tokenizer, rollout: [Float] = []) {
        var characters = CharacterAssembler()
        self.init(
            tokens: ids.map { id in
                let isSpecial = tokenizer.isSpecial(id)
                return Token(
                    id: id, text: isSpecial ? "" : characters.add(tokenizer.bytes(of: id) ?? []),
                    piece: tokenizer.piece(id) ?? "<\(id)>", isSpecial: isSpecial)
            }, rollout: rollout)
    }
}
