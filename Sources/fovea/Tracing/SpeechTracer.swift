import Foundation
import Generation
import Media
import Models
import Tokenization
import Speech

/// Traces of models that listen.
struct SpeechTracer: Tracer {
    private let model: Whisper
    private let path: String
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
        path = files.path
        let recording = try SpeechSetup.recording(audio)
        start = try Self.startTokens(files.path, whisper.configuration, input)
        var parameters = LogMelSpectrogram.Parameters()
        parameters.melCount = whisper.configuration.mels
        features = try LogMelSpectrogram(parameters).window(recording.samples)
    }

    var layers: Int { max(model.configuration.encoderLayers, model.configuration.decoderLayers) }

    func endTokens() throws -> Set<Int> { [try SpeechTokens(Tokenizer(contentsOf: URL(filePath: path))).endOfText] }

    func run(_ options: TraceOptions, emit: (TraceTensor) throws -> Void) throws {
        try emit(TraceTensor("features", shape: [features.melCount, features.frameCount], floats: features.values))
        try emit(TraceTensor("decoder_input_ids", integers: start))
        try model.trace(
            start: start, options: options, encode: { try model.encode(logMel: features.values) }, emit: emit)
    }

    /// The ids given, or the model's own prompt. A tokenizer is needed only for the latter.
    private static func startTokens(_ path: String, _ configuration: Whisper.Configuration, _ input: TraceInput) throws
        -> [Int]
    {
        if let ids = input.decoderIds {
            try TraceInput.check(ids, option: "--decoder-ids", vocabulary: configuration.vocabulary)
            guard !ids.isEmpty, ids.count < configuration.textPositions else {
                throw input.refuse("--decoder-ids", "1 to \(configuration.textPositions - 1) ids")
            }
            return ids
        }
        let tokens = try SpeechTokens(Tokenizer(contentsOf: URL(filePath: path)))
        if !tokens.isMultilingual, input.task == .translate { throw GenerationError.monolingual(asked: "translation") }
        return try tokens.startSequence(language: input.language, task: input.task)
            + [tokens.requiredNoTimestamps()]
    }
}
