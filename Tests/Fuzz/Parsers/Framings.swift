/// Lines of text.
struct LineFraming: Framing {
    func split(_ file: [UInt8]) -> [Piece]? {
        file.split(separator: 0x0A, omittingEmptySubsequences: false).map { Piece(Array($0)) }
    }

    func join(_ pieces: [Piece]) -> [UInt8] { Array(pieces.map(\.body).joined(separator: [0x0A])) }
}

/// The length, the header and the data of a safetensors file.
struct SafetensorsFraming: Framing {
    func split(_ file: [UInt8]) -> [Piece]? {
        guard let length = file.little(0, 8), let header = file.slice(8, length) else { return nil }
        return [Piece(header), Piece(Array(file[(8 + length)...]))]
    }

    func join(_ pieces: [Piece]) -> [UInt8] {
        var file: [UInt8] = []
        file.appendLittle(UInt64(pieces[0].body.count))
        return file + pieces.map(\.body).joined()
    }
}

/// Metadata pairs and tensors of a GGUF file, whose numbers are in the header.
struct GGUFFraming: Framing {
    private static let pair: [UInt8] = [0], tensor: [UInt8] = [1], data: [UInt8] = [2]
    private static let widths = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]

    func split(_ file: [UInt8]) -> [Piece]? {
        guard file.starts(with: "GGUF".utf8), let tensors = file.little(8, 8), let pairs = file.little(16, 8) else {
            return nil
        }
        var offset = 24
        var pieces: [Piece] = []
        for _ in 0..<min(pairs, 1000) {
            let start = offset
            guard text(file, &offset), let type = file.little(offset, 4) else { return nil }
            offset += 4
            guard value(file, type, &offset, depth: 0), let body = file.slice(start, offset - start) else { return nil }
            pieces.append(Piece(Self.pair, body))
        }
        for _ in 0..<min(tensors, 1000) {
            let start = offset
            guard text(file, &offset), let rank = file.little(offset, 4), rank <= 8 else { return nil }
            offset += 4 + 8 * rank + 12
            guard let body = file.slice(start, offset - start) else { return nil }
            pieces.append(Piece(Self.tensor, body))
        }
        let begin = min(file.count, (offset + 31) / 32 * 32)
        return pieces + [Piece(Self.data, Array(file[begin...]))]
    }

    private func text(_ file: [UInt8], _ offset: inout Int) -> Bool {
        guard let length = file.little(offset, 8), file.slice(offset + 8, length) != nil else { return false }
        offset += 8 + length
        return true
    }

    private func value(_ file: [UInt8], _ type: Int, _ offset: inout Int, depth: Int) -> Bool {
        if type == 8 { return text(file, &offset) }
        if type == 9 {
            guard depth < 4, let element = file.little(offset, 4), let count = file.little(offset + 4, 8),
                count <= file.count
            else { return false }
            offset += 12
            for _ in 0..<count { guard value(file, element, &offset, depth: depth + 1) else { return false } }
            return true
        }
        guard Self.widths.indices.contains(type) else { return false }
        offset += Self.widths[type]
        return offset <= file.count
    }

    func join(_ pieces: [Piece]) -> [UInt8] {
        var file = Array("GGUF".utf8)
        file.appendLittle(UInt32(3))
        file.appendLittle(UInt64(pieces.count { $0.label == Self.tensor }))
        file.appendLittle(UInt64(pieces.count { $0.label == Self.pair }))
        for label in [Self.pair, Self.tensor] {
            file += pieces.filter { $0.label == label }.map(\.body).joined()
        }
        while file.count % 32 != 0 { file.append(0) }
        return file + pieces.filter { $0.label == Self.data }.map(\.body).joined()
    }
}

/// Members of a zip archive. They are written as they are, without compression.
struct ZipFraming: Framing {
    func split(_ file: [UInt8]) -> [Piece]? {
        guard
            let end = stride(from: file.count - 22, through: 0, by: -1).first(where: {
                file.little($0, 4) == 0x0605_4b50
            }), let count = file.little(end + 10, 2), var entry = file.little(end + 16, 4)
        else { return nil }
        var pieces: [Piece] = []
        for _ in 0..<count {
            guard file.little(entry, 4) == 0x0201_4b50, file.little(entry + 10, 2) == 0,
                let size = file.little(entry + 20, 4), let nameLength = file.little(entry + 28, 2),
                let extra = file.little(entry + 30, 2), let comment = file.little(entry + 32, 2),
                let header = file.little(entry + 42, 4), let name = file.slice(entry + 46, nameLength),
                let localName = file.little(header + 26, 2), let localExtra = file.little(header + 28, 2),
                let body = file.slice(header + 30 + localName + localExtra, size)
            else { return nil }
            pieces.append(Piece(name, body))
            entry += 46 + nameLength + extra + comment
        }
        return pieces
    }

    func join(_ pieces: [Piece]) -> [UInt8] {
        var file: [UInt8] = [], directory: [UInt8] = []
        for piece in pieces {
            let offset = UInt32(file.count)
            var common: [UInt8] = [20, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            common.appendLittle(Checksum.zip(piece.body))
            common.appendLittle(UInt32(piece.body.count))
            common.appendLittle(UInt32(piece.body.count))
            common.appendLittle(UInt16(truncatingIfNeeded: piece.label.count))
            common += [0, 0]
            file += [0x50, 0x4b, 3, 4] + common + piece.label + piece.body
            directory += [0x50, 0x4b, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 10)
            directory.appendLittle(offset)
            directory += piece.label
        }
        let start = UInt32(file.count)
        file += directory + [0x50, 0x4b, 5, 6, 0, 0, 0, 0]
        file.appendLittle(UInt16(truncatingIfNeeded: pieces.count))
        file.appendLittle(UInt16(truncatingIfNeeded: pieces.count))
        file.appendLittle(UInt32(directory.count))
        file.appendLittle(start)
        return file + [0, 0]
    }
}

/// Chunks of a PNG.
struct PNGFraming: Framing {
    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    func split(_ file: [UInt8]) -> [Piece]? {
        guard file.starts(with: Self.signature) else { return nil }
        var pieces: [Piece] = []
        var offset = 8
        while let head = file.slice(offset, 8) {
            let length = head[..<4].reduce(0) { $0 << 8 | Int($1) }
            guard let body = file.slice(offset + 8, length) else { break }
            pieces.append(Piece(Array(head[4...]), body))
            offset += 12 + length
        }
        return pieces
    }

    func join(_ pieces: [Piece]) -> [UInt8] {
        var file = Self.signature
        for piece in pieces {
            file.appendBig(UInt32(piece.body.count))
            file += piece.label + piece.body
            file.appendBig(Checksum.zip(piece.label + piece.body))
        }
        return file
    }
}

/// Chunks of a RIFF file: WAVE and WebP.
struct RIFFFraming: Framing {
    func split(_ file: [UInt8]) -> [Piece]? {
        guard file.starts(with: "RIFF".utf8), let form = file.slice(8, 4) else { return nil }
        var pieces = [Piece(form)]
        var offset = 12
        while let label = file.slice(offset, 4), let length = file.little(offset + 4, 4) {
            let body = Array(file[(offset + 8)...].prefix(length))
            pieces.append(Piece(label, body))
            offset += 8 + body.count + body.count % 2
        }
        return pieces
    }

    func join(_ pieces: [Piece]) -> [UInt8] {
        var content = pieces[0].body
        for piece in pieces.dropFirst() {
            content += piece.label
            content.appendLittle(UInt32(piece.body.count))
            content += piece.body
            if piece.body.count % 2 == 1 { content.append(0) }
        }
        var file = Array("RIFF".utf8)
        file.appendLittle(UInt32(content.count))
        return file + content
    }
}

/// Pages of an Ogg file (RFC 3533).
struct OggFraming: Framing {
    func split(_ file: [UInt8]) -> [Piece]? {
        var pieces: [Piece] = []
        var offset = 0
        while let head = file.slice(offset, 27), head.starts(with: "OggS".utf8),
            let lacing = file.slice(offset + 27, Int(head[26]))
        {
            let length = lacing.reduce(0) { $0 + Int($1) }
            guard let body = file.slice(offset + 27 + lacing.count, length) else { break }
            pieces.append(Piece(Array(head[4..<26]), body))
            offset += 27 + lacing.count + length
        }
        return pieces.isEmpty ? nil : pieces
    }

    /// The lacing of a page is written anew, as one packet.
    func join(_ pieces: [Piece]) -> [UInt8] {
        var file: [UInt8] = []
        for piece in pieces where piece.label.count == 22 {
            let body = piece.body.prefix(255 * 255 - 1)
            let lacing = [UInt8](repeating: 255, count: body.count / 255) + [UInt8(body.count % 255)]
            var page = Array("OggS".utf8) + piece.label[..<18] + [0, 0, 0, 0] + [UInt8(lacing.count)] + lacing + body
            let sum = Checksum.ogg(page)
            for byte in 0..<4 { page[22 + byte] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * byte)) }
            file += page
        }
        return file
    }
}

/// The checksums of framings.
enum Checksum {
    /// CRC-32 of zip and PNG.
    static func zip(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in reflected[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] ^ sum >> 8 }
    }

    /// CRC-32 of Ogg pages, most significant bit first.
    static func ogg(_ bytes: [UInt8]) -> UInt32 {
        bytes.reduce(0) { sum, byte in straight[Int(UInt8(truncatingIfNeeded: sum >> 24) ^ byte)] ^ sum << 8 }
    }

    private static let reflected = (UInt32(0)..<256).map { number in
        (0..<8).reduce(number) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    private static let straight = (UInt32(0)..<256).map { number in
        (0..<8).reduce(number << 24) { value, _ in value >> 31 == 1 ? value << 1 ^ 0x04C1_1DB7 : value << 1 }
    }
}
