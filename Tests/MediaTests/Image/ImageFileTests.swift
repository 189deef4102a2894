import Foundation
import TestSupport
import Testing

@testable import Media

@Suite struct ImageFileTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    @Test("the pixels Pillow reads", arguments: Samples.pictures)
    func pixels(sample: PictureSample) throws {
        let bytes = try #require(Data(base64Encoded: sample.file))
        let path = try folder.write(bytes, to: "picture")
        let info = try ImageFile.info(path: path)
        #expect(info.width == sample.width && info.height == sample.height)
        #expect(info.format.rawValue.lowercased() == sample.name.prefix { $0 != " " })
        let image = try ImageFile.load(path: path)
        #expect(image.width == sample.width && image.height == sample.height)
        let expected = [UInt8](try #require(Data(base64Encoded: sample.rgb)))
        let worst = zip(image.pixels, expected).map { abs(Int($0) - Int($1)) }.max()
        #expect(worst == 0)
    }

    @Test(
        "the fixture pictures", .needsLargeFixtures,
        arguments: [
            ("image_a.png", 112, 112), ("image_b.png", 97, 53), ("image_c.png", 41, 130), ("image_d.png", 40, 33),
            ("image_e.png", 80, 38),
        ])
    func fixtures(name: String, width: Int, height: Int) throws {
        let image = try ImageFile.load(path: Fixtures.input(name))
        #expect(image.width == width && image.height == height)
    }

    private func error(_ path: String, maximumPixels: Int = ImageFile.defaultMaximumPixels) -> MediaError? {
        do {
            _ = try ImageFile.load(path: path, maximumPixels: maximumPixels)
        } catch {
            return error
        }
        Issue.record("no error")
        return nil
    }

    @Test func notAPicture() throws {
        #expect(error(folder.path("nothing.png")) == .fileNotFound(path: folder.path("nothing.png")))
        #expect(error(folder.url.path) == .isDirectory(path: folder.url.path))
        let empty = try folder.write([] as [UInt8], to: "empty.png")
        #expect(error(empty) == .emptyFile(path: empty))
        for text in ["hello, this is a note", "GIF89 and so on", "RIFF\u{4}\0\0\0WAVEfmt ", "\u{7F}"] {
            let path = try folder.write(Array(text.utf8), to: "note.png")
            #expect(error(path) == .notAnImage(path: path))
        }
        let secret = try folder.write([1, 2, 3] as [UInt8], to: "secret.png")
        #expect(chmod(secret, 0) == 0)
        #expect(withoutPrivileges { error(secret) } == .notPermitted(path: secret))
    }

    @Test("cut-off files", arguments: Samples.pictures.filter { !$0.name.contains("orientation") })
    func truncated(sample: PictureSample) throws {
        let bytes = try #require(Data(base64Encoded: sample.file))
        for count in [0.3, 0.6, 0.8, 0.97].map({ Int(Double(bytes.count) * $0) }) + [bytes.count - 1] {
            let path = try folder.write(bytes.prefix(count), to: "cut")
            do {
                _ = try ImageFile.load(path: path)
                Issue.record("\(count) bytes of \(sample.name) were accepted")
            } catch {
                switch error {
                case .truncatedImage, .damagedImage: break
                default: Issue.record("\(error)")
                }
            }
        }
    }

    @Test("a picture too large is refused before it is decoded")
    func bombs() throws {
        let png: [UInt8] =
            [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13] + Array("IHDR".utf8)
            + [0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60, 8, 2, 0, 0, 0]
        let bomb = try folder.write(
            png + bigEndian(crc32(png[12...])) + [0, 0, 0, 0] + Array("IDAT".utf8)
                + bigEndian(crc32(Array("IDAT".utf8)[...])), to: "bomb.png")
        #expect(error(bomb) == .imageTooLarge(path: bomb, width: 60_000, height: 60_000, limit: 100_000_000))

        let sample = try #require(Samples.pictures.first { $0.name == "jpeg 4:4:4" })
        var jpeg = [UInt8](try #require(Data(base64Encoded: sample.file)))
        let frame = try #require(jpeg.indices.first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
        jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])
        let wide = try folder.write(jpeg, to: "wide.jpg")
        #expect(error(wide) == .imageTooLarge(path: wide, width: 65_500, height: 65_500, limit: 100_000_000))

        let small = try folder.write(try #require(Data(base64Encoded: Samples.pictures[0].file)), to: "small")
        #expect(
            error(small, maximumPixels: 33 * 17 - 1) == .imageTooLarge(path: small, width: 33, height: 17, limit: 560))
    }

    @Test("random damage never crashes", arguments: Samples.pictures)
    func fuzz(sample: PictureSample) throws {
        let good = [UInt8](try #require(Data(base64Encoded: sample.file)))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<40 {
            var bad = good
            for _ in 0..<3 {
                bad[Int.random(in: 8..<bad.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            do {
                let image = try ImageFile.decode(bad, path: "damaged", maximumPixels: 1_000_000)
                #expect(image.pixels.count == image.width * image.height * 3)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    private func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
        }
    }
}
