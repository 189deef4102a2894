import Foundation
import Generation
import Media
import Models
import Tokenization

/// Traces of models that listen.
struct SpeechTracer: Tracer {
    private let model: Whisper
    private let files: ModelFiles
    private let features: LogMelFeatures
    private let start: [Int]

    static func serves(_ model: any Model) -> Bool { model is Whisper }

    init(_ model: any Model, from files: ModelFiles, input: TraceInput) throws {
        guard let whisper = model as? Whisper else {
            throw ProgramError.unsuitableModel(model: input.model, problem: "it is no speech model")
        }
        try input.requireNone(
            of: [.ids, .prompt, .image], takes: "--audio FILE, and tokens to start with as --decoder-ids")
        guard let audio = input.audio else { throw input.refuse("--audio", "a speech model needs a recording") }
        self.model = whisper
        self.files = files
        let recording = try SpeechSetup.recording(audio)
        start = try Self.startTokens(files, whisper.configuration, input)
        var parameters = LogMelSpectrogram.Parameters()
        parameters.melCount = whisper.configuration.mels
        features = try LogMelSpectrogram(parameters).window(recording.samples)
    }

    var layers: Int { max(model.configuration.encoderLayers, model.configuration.decoderLayers) }

    func endTokens() throws -> Set<Int> { [try WhisperTokens(Tokenizer(files)).endOfText] }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        try emit(TraceTensor("features", shape: [features.melCount, features.frameCount], floats: features.values))
        try emit(TraceTensor("decoder_input_ids", integers: start))
        try model.trace(.logMel(features.values), prompt: start, options: options, emit: emit)
    }

    /// The ids given, or the model's own prompt. A tokenizer is needed only for the latter.
    private static func startTokens(_ files: ModelFiles, _ configuration: Whisper.Configuration, _ input: TraceInput)
        throws
        -> [Int]
    {
        if let ids = input.decoderIds {
            try TraceInput.check(ids, option: "--decoder-ids", vocabulary: configuration.vocabulary)
            guard !ids.isEmpty, ids.count < configuration.textPositions else {
                throw input.refuse("--decoder-ids", "1 to \(configuration.textPositions - 1) ids")
            }
            return ids
        }
        let tokens = try SpeechTokens(Tokenizer(files))
        var ids = [tokens.startOfTranscript]
        if tokens.isMultilingual {
            guard let spoken = tokens.languages.first(where: { $0.code == input.language }) else {
                throw GenerationError.unknownLanguage(input.language, known: tokens.languages.map(\.code))
            }
            guard let word = input.task == .transcribe ? tokens.transcribe : tokens.translate else {
                throw GenerationError.missingToken("<|\(input.task.rawValue)|>")
            }
            ids += [spoken.token, word]
        } else if input.task == .translate {
            throw GenerationError.monolingual(asked: "translation")
        }
        guard let noTimestamps = tokens.noTimestamps else { throw GenerationError.missingToken("<|notimestamps|>") }
        return ids + [noTimestamps]
    }
}
