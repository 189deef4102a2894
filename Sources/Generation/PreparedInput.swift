import Formats
import Media

/// The input a model attends to, in the form a person can look at.
public enum PreparedInput: Sendable {
    case audio(AudioWindow)
    case picture(PictureInput)
    case source(SourceText)
}

/// One 30-second window of sound as the model sees it.
public struct AudioWindow: Sendable, Hashable {
    public let index: Int
    /// Seconds from the start of the recording.
    public let start: Double
    /// Seconds of actual sound in the window (the rest is padding).
    public let duration: Double
    public let mels: Int
    /// Mel frames, 10 ms each; encoder positions are half as many (20 ms each).
    public let frames: Int
    /// Log-mel energies `[mels, frames]` as fed to the encoder.
    public let logMel: [Float]
    /// The language in use, e.g. "en", and its probability when it was detected.
    public let language: String?
    public let languageProbability: Float?

    public init(index: Int, start: Double, duration: Double, mels: Int, frames: Int, logMel: [Float], language: String? = nil, languageProbability: Float? = nil) {
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

/// A picture as the model sees it, and where its parts stand among the keys of attention.
public struct PictureInput: Sendable {
    /// Number of the picture in the conversation, from 0.
    public let index: Int
    /// The file's name. Untrusted.
    public let name: String
    /// The upright picture, for people to look at; possibly smaller than the file's.
    public let picture: RGBImage
    /// Pixels of the upright picture in the file: what `PictureKey.rectangle` counts in.
    public let width: Int
    public let height: Int
    /// The attention whose keys are the picture: `.cross`, or `.selfAttention` where a model has no cross-attention to
    /// pictures and what is shown is the slice of decoder self-attention that falls on the picture's tokens.
    public let kind: AttentionKind
    /// The keys that stand for the picture, ascending.
    public let keys: [PictureKey]

    public init(index: Int, name: String, picture: RGBImage, width: Int, height: Int, kind: AttentionKind, keys: [PictureKey]) {
        self.index = index
        self.name = name
        self.picture = picture
        self.width = width
        self.height = height
        self.kind = kind
        self.keys = keys
    }
}

/// One key of attention to a picture.
public struct PictureKey: Sendable, Equatable {
    /// Column in the attention rows of the picture's kind.
    public let key: Int
    /// Tile of the picture, from 0; the whole picture once more where a model sees it also small, after all others.
    public let tile: Int
    /// What of the picture it covers; nil for a class token and for padding, which show nothing.
    public let rectangle: PictureRectangle?
    /// Whether the tile is the whole picture once more, small, beside tiles that show it in detail.
    public let isOverview: Bool

    public init(key: Int, tile: Int, rectangle: PictureRectangle?, isOverview: Bool = false) {
        self.key = key
        self.tile = tile
        self.rectangle = rectangle
        self.isOverview = isOverview
    }
}

/// The text a model reads: key i of the attention it is shown by is token i. For an encoder that is cross-attention; for a
/// model that continues text, self-attention to its prompt.
public struct SourceText: Sendable, Hashable {
    public struct Token: Sendable, Hashable {
        public let id: Int
        /// The text it stands for, blanks included. Untrusted.
        public let text: String
        /// As the vocabulary spells it.
        public let piece: String
        public let isSpecial: Bool

        public init(id: Int, text: String, piece: String, isSpecial: Bool) {
            self.id = id
            self.text = text
            self.piece = piece
            self.isSpecial = isSpecial
        }
    }

    public let tokens: [Token]
    /// How much of each token reaches each position of the encoder's output, `[tokens, tokens]`: attention rollout through the
    /// encoder's layers (`AttentionRollout`). Empty where there is no encoder, or the text is long.
    public let rollout: [Float]

    public init(tokens: [Token], rollout: [Float] = []) {
        self.tokens = tokens
        self.rollout = rollout
    }
}
