import AttentionTypes
import NumberFormats
import Foundation
import Generation
import Media
import Terminal

/// What happens while a model answers, as it stands in a file.
enum RecordedGeneration: Codable {
    case sound(RecordedSound)
    case picture(RecordedPicture)
    case source([RecordedSourceToken], rollout: [Float]?)
    case encoded(Double)
    case token(RecordedToken)
    case discarded(keeping: Int, reason: String)
    case segment(TranscriptSegment)
    case finished(reason: FinishReason, tokens: Int, encode: Double, prefill: Double, decode: Double)

    init?(_ event: GenerationEvent) {
        switch event {
        case .inputPrepared(.audio(let window)): self = .sound(RecordedSound(window))
        case .inputPrepared(.picture(let picture)): self = .picture(RecordedPicture(picture))
        case .inputPrepared(.source(let source)):
            self = .source(
                source.tokens.map(RecordedSourceToken.init), rollout: source.rollout.isEmpty ? nil : source.rollout)
        case .encoded(let seconds): self = .encoded(seconds)
        case .token(let token): self = .token(RecordedToken(token))
        case .discarded(let keeping, let reason): self = .discarded(keeping: keeping, reason: reason)
        case .segment(let segment): self = .segment(segment)
        case .finished(let summary):
            self = .finished(
                reason: summary.reason, tokens: summary.tokens, encode: summary.encodeSeconds,
                prefill: summary.prefillSeconds, decode: summary.decodeSeconds)
        default: return nil
        }
    }

    func event() throws -> GenerationEvent {
        switch self {
        case .sound(let sound): .inputPrepared(.audio(try sound.window()))
        case .picture(let picture): .inputPrepared(.picture(try picture.input()))
        case .source(let tokens, let rollout):
            .inputPrepared(
                .source(SourceText(tokens: tokens.map(\.token), rollout: (rollout ?? []).map { $0.isFinite ? $0 : 0 })))
        case .encoded(let seconds): .encoded(seconds: seconds)
        case .token(let token): .token(try token.token())
        case .discarded(let keeping, let reason): .discarded(keeping: keeping, reason: reason)
        case .segment(let segment): .segment(segment)
        case .finished(let reason, let tokens, let encode, let prefill, let decode):
            .finished(
                GenerationSummary(
                    reason: reason, tokens: tokens, encodeSeconds: encode, prefillSeconds: prefill,
                    decodeSeconds: decode))
        }
    }
}

struct RecordedSound: Codable {
    var index: Int
    var start: Double
    var duration: Double
    var mels: Int
    var frames: Int
    var logMel: HalfFloats
    var language: String?
    var languageProbability: Float?

    init(_ window: AudioWindow) {
        (index, start, duration, mels, frames) = (
            window.index, window.start, window.duration, window.mels, window.frames
        )
        (logMel, language, languageProbability) = (
            HalfFloats(window.logMel), window.language, window.languageProbability
        )
    }

    func window() throws -> AudioWindow {
        guard (0...1024).contains(mels), (0...1_000_000).contains(frames), logMel.count == mels * frames,
            (0...1e7).contains(start), (0...1e7).contains(duration)
        else {
            throw RecordingError.invalid("a window of \(mels) × \(frames) energies")
        }
        return AudioWindow(
            index: index, start: start, duration: duration, mels: mels, frames: frames, logMel: try logMel.values(),
            language: language,
            languageProbability: languageProbability)
    }
}

struct RecordedPicture: Codable {
    var index: Int
    var name: String
    var pixels: RecordedPixels
    var width: Int
    var height: Int
    var kind: AttentionKind
    /// Per key: its number, its tile, 1 for the overview, then x, y, width, height where it shows something.
    var keys: [[Double]]

    init(_ input: PictureInput) {
        index = input.index
        name = input.name
        pixels = RecordedPixels(PictureView(input).pixels)
        (width, height, kind) = (input.width, input.height, input.kind)
        keys = input.keys.map { key in
            [Double(key.key), Double(key.tile), key.isOverview ? 1 : 0]
                + (key.rectangle.map { [$0.x, $0.y, $0.width, $0.height] } ?? [])
        }
    }

    func input() throws -> PictureInput {
        guard width > 0, height > 0, width <= 1 << 20, height <= 1 << 20, keys.count <= 1 << 20 else {
            throw RecordingError.invalid("a picture of \(width) × \(height) with \(keys.count) keys")
        }
        let keys = try keys.map { key in
            guard key.count == 3 || key.count == 7, key.allSatisfy({ $0.isFinite && abs($0) < 1e9 }) else {
                throw RecordingError.invalid("a key of a picture")
            }
            return PictureKey(
                key: Int(key[0]), tile: Int(key[1]),
                rectangle: key.count == 7 ? PictureRectangle(x: key[3], y: key[4], width: key[5], height: key[6]) : nil,
                isOverview: key[2] == 1)
        }
        return PictureInput(
            index: index, name: name, picture: try pixels.picture(), width: width, height: height, kind: kind,
            keys: keys)
    }
}

struct RecordedPixels: Codable {
    var width: Int
    var height: Int
    /// Red, green, blue, row after row.
    var rgb: Data

    init(_ picture: RGBImage) {
        (width, height, rgb) = (picture.width, picture.height, Data(picture.pixels))
    }

    init(_ raster: Raster) {
        (width, height) = (raster.width, raster.height)
        rgb = Data(raster.pixels.flatMap { [$0.red, $0.green, $0.blue] })
    }

    func picture() throws -> RGBImage {
        guard (1...4096).contains(width), (1...4096).contains(height), rgb.count == width * height * 3 else {
            throw RecordingError.invalid("\(rgb.count) bytes for a picture of \(width) × \(height)")
        }
        return RGBImage(width: width, height: height, pixels: Array(rgb))
    }

    func raster() throws -> Raster {
        let picture = try picture()
        var raster = Raster(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let pixel = picture[x: x, y: y]
                raster[x, y] = Color(red: pixel.red, green: pixel.green, blue: pixel.blue)
            }
        }
        return raster
    }
}

struct RecordedSourceToken: Codable {
    var id: Int
    var text: String
    var piece: String
    var special: Bool

    init(_ token: SourceText.Token) {
        (id, text, piece, special) = (token.id, token.text, token.piece, token.isSpecial)
    }

    var token: SourceText.Token { .init(id: id, text: text, piece: piece, isSpecial: special) }
}

struct RecordedToken: Codable {
    struct Alternative: Codable {
        var id: Int
        var piece: String
        var logProbability: Float
    }

    struct Layer: Codable {
        var kind: AttentionKind
        var layer: Int
        var heads: Int
        var queries: Int
        var keys: Int
        var values: HalfFloats
    }

    var index: Int
    var window: Int
    var id: Int
    var text: String
    var piece: String
    var special: Bool
    var timestamp: Double?
    var logProbability: Float
    var alternatives: [Alternative]
    var attention: [Layer]

    init(_ token: GeneratedToken) {
        (index, window, id, text, piece, special) = (
            token.index, token.window, token.id, token.text, token.piece, token.isSpecial
        )
        (timestamp, logProbability) = (token.timestamp, max(token.logProbability, -1e4))
        alternatives = token.alternatives.map {
            Alternative(id: $0.id, piece: $0.piece, logProbability: max($0.logProbability, -1e4))
        }
        attention = token.attention.map {
            Layer(
                kind: $0.kind, layer: $0.layer, heads: $0.heads, queries: $0.queries, keys: $0.keys,
                values: HalfFloats($0.values))
        }
    }

    func token() throws -> GeneratedToken {
        guard index >= 0, index < 1 << 31 else { throw RecordingError.invalid("token number \(index)") }
        return GeneratedToken(
            index: index, window: window, id: id, text: text, piece: piece, isSpecial: special, timestamp: timestamp,
            logProbability: logProbability,
            alternatives: alternatives.map {
                TokenAlternative(id: $0.id, piece: $0.piece, logProbability: $0.logProbability)
            },
            attention: try attention.map { layer in
                guard layer.heads > 0, layer.queries > 0, layer.keys > 0, layer.heads <= 4096, layer.queries <= 1 << 20,
                    layer.keys <= 1 << 20,
                    layer.heads * layer.queries * layer.keys == layer.values.count
                else {
                    throw RecordingError.invalid(
                        "\(layer.values.count) weights for [\(layer.heads), \(layer.queries), \(layer.keys)]")
                }
                return AttentionWeights(
                    kind: layer.kind, layer: layer.layer, heads: layer.heads, queries: layer.queries, keys: layer.keys,
                    values: try layer.values.values())
            })
    }
}

/// Numbers as 16-bit floats, two bytes each, the lower one first; base64 in the file.
struct HalfFloats: Codable {
    var bytes: Data

    init(_ values: [Float]) {
        var bytes = Data(capacity: values.count * 2)
        for value in values {
            let half = HalfPrecision.f16(value)
            bytes.append(UInt8(truncatingIfNeeded: half))
            bytes.append(UInt8(truncatingIfNeeded: half >> 8))
        }
        self.bytes = bytes
    }

    init(from decoder: any Decoder) throws { bytes = try decoder.singleValueContainer().decode(Data.self) }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytes)
    }

    var count: Int { bytes.count / 2 }

    func values() throws -> [Float] {
        guard bytes.count % 2 == 0 else { throw RecordingError.invalid("half a number") }
        let values = bytes.withUnsafeBytes { raw in
            stride(from: 0, to: raw.count, by: 2).map {
                HalfPrecision.float(fromF16: UInt16(raw[$0]) | UInt16(raw[$0 + 1]) << 8)
            }
        }
        guard values.allSatisfy(\.isFinite) else { throw RecordingError.invalid("a number that is none") }
        return values
    }
}
