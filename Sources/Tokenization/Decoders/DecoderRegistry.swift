import JSON

/// Factories of decoders by the "type" in tokenizer.json. Each call makes new stages.
enum DecoderRegistry {
    static func make(_ field: JSONReader, depth: Int = 0) throws -> [any DecoderStage] {
        try ComponentRegistry.make(field, from: makers, depth: depth)
    }

    private static let makers: [String: ComponentRegistry.Maker<[any DecoderStage]>] = [
        "Sequence": { field, depth in
            try field.member("decoders").elements().flatMap { try make($0, depth: depth + 1) }
        },
        "ByteLevel": { _, _ in [ByteLevelStage()] },
        "ByteFallback": { _, _ in [ByteFallbackStage()] },
        "Fuse": { _, _ in [FuseStage()] },
        "Metaspace": { field, _ in
            [
                MetaspaceStage(
                    mark: try ComponentRegistry.metaspaceMark(field),
                    dropsFirst: try ComponentRegistry.prependScheme(field) != .never)
            ]
        },
        "Strip": { field, _ in
            [
                StripStage(
                    content: Array(String(try field.scalar("content")).utf8),
                    start: try field.count("start", default: 0), stop: try field.count("stop", default: 0))
            ]
        },
        "Replace": { field, _ in
            let pattern = try ComponentRegistry.pattern(field.member("pattern"))
            let content = try field.bytes("content")
            if case .literal(let literal) = pattern {
                return literal.isEmpty ? [] : [ReplaceStage(pattern: literal, content: content)]
            }
            return [PieceStage { piece, _ in pattern.replacing(with: content, in: piece) }]
        },
        "WordPiece": { field, _ in
            let prefix = try field.bytes("prefix", default: "##")
            return [wordPiece(prefix: prefix, cleansUp: try field.bool("cleanup", default: true))]
        },
        "BPEDecoder": { field, _ in
            [WordSuffixStage(suffix: try field.bytes("suffix", default: "</w>"))]
        },
        "CTC": { field, _ in
            [
                CTCStage(
                    blank: try field.bytes("pad_token", default: "<pad>"),
                    wordDelimiter: try field.bytes("word_delimiter_token", default: "|"),
                    cleansUp: try field.bool("cleanup", default: true))
            ]
        },
    ]

    static func wordPiece(prefix: [UInt8], cleansUp: Bool) -> any DecoderStage {
        PieceStage { piece, index in
            var text = piece
            if index > 0 {
                if !prefix.isEmpty, piece.starts(with: prefix) {
                    text = Array(piece.dropFirst(prefix.count))
                } else {
                    text = [0x20] + piece
                }
            }
            return cleansUp ? EnglishCleanup.clean(text) : text
        }
    }

    /// Without a decoder pieces are joined by spaces.
    static let spaced: [any DecoderStage] = [PieceStage { piece, index in index > 0 ? [0x20] + piece : piece }]
}
