/// The contents of a SentencePiece model (Kudo & Richardson 2018), read from its protobuf or from GGUF metadata.
struct SentencePieceModel: Sendable {
    enum PieceType: Int, Sendable {
        case normal = 1, unknown, control, userDefined, unused, byte
    }

    enum Algorithm: Int, Sendable {
        case unigram = 1, bytePair
    }

    struct Piece: Sendable {
        var text: [UInt8] = []
        var score: Float = 0
        var type = PieceType.normal
    }

    var pieces: [Piece] = []
    var algorithm = Algorithm.unigram
    var characterMap: CharacterMap?
    var addsDummyPrefix = true
    var removesExtraWhitespace = true
    var escapesWhitespace = true
    var treatsWhitespaceAsSuffix = false
    var byteFallback = false
    var bos: Int?
    var eos: Int?
    /// The text of the unknown token.
    var unknownSurface = Array(" \u{2047} ".utf8)

    var unknown: Int? { pieces.firstIndex { $0.type == .unknown } }

    // MARK: Protobuf (sentencepiece_model.proto)

    init() {}

    init(_ data: [UInt8], file: String) throws {
        var reader = ProtobufReader(data, file: file)
        bos = 1
        eos = 2
        while let (field, value) = try reader.next() {
            guard case .bytes(let range) = value else { continue }
            switch field {
            case 1: pieces.append(try Self.piece(data, range, number: pieces.count, file: file))
            case 2: try readTrainer(data, range, file: file)
            case 3: try readNormalizer(data, range, file: file)
            default: break
            }
        }
        guard !pieces.isEmpty else {
            throw TokenizationError.field(
                file: file, field: "pieces", expected: "a SentencePiece vocabulary", actual: "none")
        }
        guard unknown != nil else {
            throw TokenizationError.missingToken(file: file, field: "pieces", token: "<unk>")
        }
        for id in [bos, eos].compactMap({ $0 }) where !pieces.indices.contains(id) {
            throw TokenizationError.field(
                file: file, field: "trainer_spec", expected: "special ids below \(pieces.count)", actual: "\(id)")
        }
    }

    private static func piece(_ data: [UInt8], _ range: Range<Int>, number: Int, file: String) throws -> Piece {
        var reader = ProtobufReader(data, file: file, range: range)
        var piece = Piece()
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (1, .bytes(let range)): piece.text = Array(data[range])
            case (2, .fixed32(let bits)): piece.score = Float(bitPattern: bits)
            case (3, .varint(let number)): piece.type = PieceType(rawValue: Int(truncatingIfNeeded: number)) ?? .normal
            default: break
            }
        }
        guard piece.score.isFinite else {
            throw TokenizationError.field(
                file: file, field: "pieces[\(number)].score", expected: "a finite number", actual: "\(piece.score)")
        }
        return piece
    }

    private mutating func readTrainer(_ data: [UInt8], _ range: Range<Int>, file: String) throws {
        var reader = ProtobufReader(data, file: file, range: range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (3, .varint(let type)):
                guard let known = Algorithm(rawValue: Int(truncatingIfNeeded: type)) else {
                    throw TokenizationError.unsupported(
                        file: file, field: "trainer_spec.model_type", kind: "\(type)",
                        known: ["1 (unigram)", "2 (BPE)"])
                }
                algorithm = known
            case (24, .varint(let flag)): treatsWhitespaceAsSuffix = flag != 0
            case (35, .varint(let flag)): byteFallback = flag != 0
            case (41, .varint(let id)): bos = Self.id(id)
            case (42, .varint(let id)): eos = Self.id(id)
            case (44, .bytes(let range)): unknownSurface = Array(data[range])
            default: break
            }
        }
    }

    /// Absent ids are stored as -1.
    private static func id(_ number: UInt64) -> Int? {
        let id = Int32(truncatingIfNeeded: number)
        return id < 0 ? nil : Int(id)
    }

    private mutating func readNormalizer(_ data: [UInt8], _ range: Range<Int>, file: String) throws {
        var reader = ProtobufReader(data, file: file, range: range)
        while let (field, value) = try reader.next() {
            switch (field, value) {
            case (2, .bytes(let range)) where !range.isEmpty:
                guard let map = CharacterMap(Array(data[range])) else {
                    throw TokenizationError.field(
                        file: file, field: "normalizer_spec.precompiled_charsmap", expected: "a character map",
                        actual: "something else")
                }
                characterMap = map
            case (3, .varint(let flag)): addsDummyPrefix = flag != 0
            case (4, .varint(let flag)): removesExtraWhitespace = flag != 0
            case (5, .varint(let flag)): escapesWhitespace = flag != 0
            default: break
            }
        }
    }
}
