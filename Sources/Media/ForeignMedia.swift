/// A kind of file that is known and not read, with what makes one of it that is.
package struct ForeignMedia: Sendable, Hashable, CustomStringConvertible {
    /// The kind with its article, such as "a HEIC picture".
    package let name: String
    package let remedy: String

    package var description: String { "\(name), which is not read here; \(remedy)" }

    /// Recognizes a file by its first bytes.
    /// - Returns: nil for a kind that is read, or unknown, and for a file that cannot be read.
    package init?(path: String) {
        guard let file = try? InputFile(path: path), let head = try? file.bytes(at: 0, count: 64) else { return nil }
        self.init(head: head)
    }

    /// - Parameter head: the first bytes of a file.
    init?(head: [UInt8]) {
        let kind = Self.boxedKind(head) ?? Self.signatures.first { head.starts(with: $0.bytes) }?.kind
        guard let kind else { return nil }
        name = kind.name
        remedy = kind.remedy
    }

    private struct Kind {
        let name: String
        let remedy: String

        static func picture(_ name: String, by command: String = "magick FILE picture.png") -> Kind {
            Kind(name: name, remedy: "convert it to PNG or JPEG, as by “\(command)”")
        }

        static func sound(_ name: String) -> Kind {
            Kind(name: name, remedy: "convert it to FLAC or WAV, as by “ffmpeg -i FILE sound.flac”")
        }
    }

    /// The kind of a file of ISO boxes, whose first tells the brand: length, `ftyp`, brand, version, further brands.
    private static func boxedKind(_ head: [UInt8]) -> Kind? {
        guard head.count >= 12, head[4..<8].elementsEqual("ftyp".utf8) else { return nil }
        let brands = stride(from: 8, to: head.count - 3, by: 4).map {
            String(decoding: head[$0..<$0 + 4], as: UTF8.self)
        }
        func has(_ known: [String]) -> Bool { brands.contains { known.contains($0) } }
        if has(["avif", "avis"]) { return .picture("an AVIF picture", by: "avifdec FILE picture.png") }
        if has(["heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"]) {
            return .picture("a HEIC picture", by: "heif-convert FILE picture.png")
        }
        if has(["M4A ", "M4B ", "M4P "]) { return .sound("M4A sound") }
        return .sound("an MP4 or QuickTime film")
    }

    private static let signatures: [(bytes: [UInt8], kind: Kind)] = [
        ([0xFF, 0x0A], .picture("a JPEG XL picture", by: "djxl FILE picture.png")),
        ([0, 0, 0, 0x0C] + "JXL ".utf8, .picture("a JPEG XL picture", by: "djxl FILE picture.png")),
        (Array("BM".utf8), .picture("a BMP picture")),
        (Array("II*\0".utf8), .picture("a TIFF picture")), (Array("MM\0*".utf8), .picture("a TIFF picture")),
        (Array("8BPS".utf8), .picture("a Photoshop picture")), ([0, 0, 1, 0], .picture("an icon")),
        (Array("<svg".utf8), .picture("an SVG drawing")), (Array("%PDF".utf8), .picture("a PDF document")),
        ([0x1A, 0x45, 0xDF, 0xA3], .sound("a Matroska or WebM film")),
        ([0x30, 0x26, 0xB2, 0x75], .sound("Windows Media sound")),
        ([0xFF, 0xF1], .sound("AAC sound")), ([0xFF, 0xF9], .sound("AAC sound")),
        (Array("#!AMR".utf8), .sound("AMR sound")),
    ]
}
