/// The sizes of a Whisper model and the vocabulary, as files of whisper.cpp and OpenAI store them.
package struct WhisperHeader: Sendable, Hashable {
    package struct Dimensions: Sendable, Hashable {
        package let mels: Int
        package let vocabulary: Int
        package let audioPositions: Int
        package let audioWidth: Int
        package let audioHeads: Int
        package let audioLayers: Int
        package let textPositions: Int
        package let textWidth: Int
        package let textHeads: Int
        package let textLayers: Int
    }

    package let dimensions: Dimensions
    /// The bytes of each text token, by id. The special tokens follow and are not stored. `nil` for files of OpenAI,
    /// which have no vocabulary.
    package let tokens: [[UInt8]]?
    /// The mel filter bank, one row per mel. `nil` for files of OpenAI.
    package let melFilters: [Float]?
}

extension WhisperHeader {
    /// The `dims` of a file of OpenAI; `nil` if a size is missing.
    init?(_ pickle: Unpickler, dimensions: Unpickler.Value?) {
        guard let dimensions else { return nil }
        func size(_ name: String) -> Int? { pickle.integer(pickle.member(name, of: dimensions)) }
        guard let mels = size("n_mels"), let vocabulary = size("n_vocab"), let audioPositions = size("n_audio_ctx"),
            let audioWidth = size("n_audio_state"), let audioHeads = size("n_audio_head"),
            let audioLayers = size("n_audio_layer"), let textPositions = size("n_text_ctx"),
            let textWidth = size("n_text_state"), let textHeads = size("n_text_head"),
            let textLayers = size("n_text_layer")
        else { return nil }
        self.init(
            dimensions: Dimensions(
                mels: mels, vocabulary: vocabulary, audioPositions: audioPositions, audioWidth: audioWidth,
                audioHeads: audioHeads, audioLayers: audioLayers, textPositions: textPositions, textWidth: textWidth,
                textHeads: textHeads, textLayers: textLayers),
            tokens: nil, melFilters: nil)
    }
}
