import Foundation
import Generation
import Media
import Server
import Speech

/// `/v1/audio/transcriptions` and `/v1/audio/translations`.
struct SpeechEndpoint {
    private let server: OpenAIServer
    private let task: SpeechTask

    init(_ server: OpenAIServer, task: SpeechTask) {
        self.server = server
        self.task = task
    }

    private enum Format: String, CaseIterable {
        case json, text, srt, vtt
        case verboseJSON = "verbose_json"
    }

    private struct Short: Encodable { let text: String }

    private struct Word: Encodable {
        let word: String
        let start: Double
        let end: Double

        init(_ word: TimedWord) {
            self.word = word.text.trimmingCharacters(in: .whitespaces)
            start = word.start
            end = word.end
        }
    }

    private struct Verbose: Encodable {
        struct Segment: Encodable {
            let id: Int
            let seek: Int
            let start: Double
            let end: Double
            let text: String
            let tokens: [Int]
            let temperature: Float
            let avgLogprob: Float
            let compressionRatio: Float
            let noSpeechProb: Float
        }

        let task: String
        let language: String
        let duration: Double
        let text: String
        let segments: [Segment]?
        let words: [Word]?
    }

    func run(_ http: HTTPRequest, _ writer: ResponseWriter) async throws {
        guard server.model.abilities.inputs.contains(.sound) else {
            throw ServerError(400, "\(server.model.name) takes no sound", parameter: "model")
        }
        let form = try MultipartForm(http.body, contentType: http.contentType)
        try server.check(model: form.text("model"))
        guard let sound = form.bytes("file"), !sound.isEmpty else {
            throw ServerError(400, "the recording is missing", parameter: "file")
        }
        guard let format = Format(rawValue: form.text("response_format") ?? "json") else {
            throw ServerError(
                400, "should be one of \(Format.allCases.map(\.rawValue).joined(separator: ", "))",
                parameter: "response_format")
        }
        let request = try options(form)
        try await server.turn(http.client) { scratch in
            var request = request
            let recording = try SoundInput.file(path: scratch.path(bytes: Data(sound))).recording()
            request.sound = .recording(recording)
            let collector = AnswerCollector(attention: nil, isSpeech: true)
            try await server.answer(request, nil, into: collector) { _ in }
            let transcript = Transcript(
                language: collector.language ?? request.speech.language, duration: recording.duration,
                segments: collector.segments)
            let granularities = form.texts("timestamp_granularities[]")
            try send(
                transcript, as: format, words: request.speech.words,
                segments: granularities.isEmpty || granularities.contains("segment"), writer)
        }
    }

    private func options(_ form: MultipartForm) throws -> GenerationRequest {
        var request = GenerationRequest()
        request.speech.task = task
        request.speech.words = form.texts("timestamp_granularities[]").contains("word")
        request.speech.initialPrompt = form.text("prompt").flatMap { $0.isEmpty ? nil : $0 }
        if let language = form.text("language"), !language.isEmpty {
            guard let code = SpeechLanguage.code(of: language) else {
                throw ServerError(400, "should be a code of two letters or a name", parameter: "language")
            }
            request.speech.language = code
        }
        if let temperature = form.text("temperature"), !temperature.isEmpty {
            guard let value = Float(temperature), value >= 0, value.isFinite else {
                throw ServerError(400, "should be a number of 0 or more", parameter: "temperature")
            }
            // 0 means what it means at OpenAI: raise it where the text fails the checks.
            if value > 0 { request.speech.temperatures = [value] }
        }
        return request
    }

    private func send(
        _ transcript: Transcript, as format: Format, words: Bool, segments: Bool, _ writer: ResponseWriter
    ) throws {
        let text = transcript.text.trimmingCharacters(in: .whitespaces)
        switch format {
        case .json: writer.send(try JSONOutput.text(Short(text: text), pretty: false))
        case .text: writer.send(text + "\n", type: "text/plain; charset=utf-8")
        case .srt: writer.send(try TranscriptFormat.srt.write(transcript), type: "text/plain; charset=utf-8")
        case .vtt: writer.send(try TranscriptFormat.vtt.write(transcript), type: "text/vtt; charset=utf-8")
        case .verboseJSON:
            let all = transcript.segments.map {
                Verbose.Segment(
                    id: $0.index, seek: Int(max(0, $0.start) * 100), start: $0.start, end: $0.end, text: $0.text,
                    tokens: $0.tokens, temperature: $0.temperature, avgLogprob: $0.averageLogProbability,
                    compressionRatio: $0.compressionRatio, noSpeechProb: $0.noSpeechProbability)
            }
            let verbose = Verbose(
                task: task.rawValue, language: transcript.language ?? "en", duration: transcript.duration,
                text: text, segments: segments ? all : nil,
                words: words ? transcript.segments.flatMap { ($0.words ?? []).map(Word.init) } : nil)
            writer.send(try JSONOutput.text(verbose, pretty: false))
        }
    }
}
