import Checkpoint
import Foundation
import TestSupport
import Testing

@testable import ModelStore

@Suite struct ZipArchiveTests {
    let folder: TemporaryFolder
    private let text = Array(repeating: "The same sentence, many times over. ", count: 20_000).joined().utf8.map { $0 }

    init() throws { folder = try TemporaryFolder() }

    private func extract(_ zip: ZipBytes, _ name: String = "a", size: Int? = nil) throws -> [UInt8] {
        try extract(zip.bytes, name, size: size ?? zip.members[0].content.count)
    }

    private func extract(_ bytes: [UInt8], _ name: String, size: Int) throws -> [UInt8] {
        let archive = try ZipArchive(path: folder.write(bytes, to: "x.zip"))
        let output = try OutputFile(path: folder.path("out"))
        try archive.extract(name, size: size, to: output)
        try output.close()
        return Array(try Data(contentsOf: URL(filePath: folder.path("out"))))
    }

    private func complaint(_ body: () throws -> [UInt8]) -> String {
        do {
            _ = try body()
            return "nothing was thrown"
        } catch {
            return error is ModelStoreError || error is CheckpointError ? "\(error)" : "another error: \(error)"
        }
    }

    @Test func storedAndDeflatedMembers() throws {
        let zip = ZipBytes([
            .init(name: "a", content: text), .init(name: "b/c.txt", content: [1, 2, 3], isDeflated: false),
            .init(name: "empty", content: []), .init(name: "folder/", content: [], isDeflated: false),
        ])
        #expect(zip.bytes.count < text.count / 10)
        #expect(try extract(zip) == text)
        #expect(try extract(zip, "b/c.txt", size: 3) == [1, 2, 3])
        #expect(try extract(zip, "empty", size: 0).isEmpty)
        var commented = zip
        commented.comment = "PK\u{5}\u{6} is not the end"
        #expect(try extract(commented) == text)
    }

    @Test func membersAreAppended() throws {
        let zip = ZipBytes([.init(name: "a", content: [1, 2]), .init(name: "b", content: [3], isDeflated: false)])
        let archive = try ZipArchive(path: folder.write(zip.bytes, to: "x.zip"))
        for name in ["a", "b"] {
            let output = try OutputFile(path: folder.path("both"), append: true)
            try archive.extract(name, size: name == "a" ? 2 : 1, to: output)
            try output.close()
        }
        #expect(Array(try Data(contentsOf: URL(filePath: folder.path("both")))) == [1, 2, 3])
    }

    @Test(arguments: ["../evil", "a/../../evil", "/etc/passwd", "..\\evil", "a\u{0}b", ".."])
    func namesThatLeadOutRefuseTheArchive(name: String) {
        let zip = ZipBytes([.init(name: "a", content: [1]), .init(name: name, content: [2])])
        #expect(complaint { try extract(zip) }.contains("would lie outside"))
    }

    @Test func sizesAndChecksums() {
        let good = ZipBytes.Member(name: "a", content: text)
        func with(_ change: (inout ZipBytes.Member) -> Void) -> ZipBytes {
            var member = good
            change(&member)
            return ZipBytes([member])
        }
        #expect(complaint { try extract(with { $0.checksum = 7 }) }.contains("checksum"))
        // A bomb: far more than it announces.
        #expect(complaint { try extract(with { $0.size = 10 }, size: 10) }.contains("checksum"))
        #expect(complaint { try extract(with { $0.size = 1 << 30 }, size: 1 << 30) }.contains("checksum"))
        #expect(complaint { try extract(with { _ in }, size: 9) }.contains("bytes, expected 9"))
        #expect(complaint { try extract(with { $0.compressedSize = 1 << 30 }) }.contains("ends too early"))
        #expect(complaint { try extract(with { $0.compressedSize = 20 }) }.contains("checksum"))
        #expect(
            complaint {
                try extract(
                    with {
                        $0.isDeflated = false; $0.size = 5
                    }, size: 5)
            }.contains("impossible sizes"))
        #expect(complaint { try extract(with { $0.method = 12 }) }.contains("encrypted or compressed"))
        #expect(complaint { try extract(with { $0.flags = 1 }) }.contains("encrypted or compressed"))
        #expect(complaint { try extract(with { $0.offset = 1 << 30 }) }.contains("impossible sizes"))
        #expect(complaint { try extract(with { $0.offset = 3 }) }.contains("no header where"))
        #expect(complaint { try extract(ZipBytes([good]), "absent") }.contains("\"absent\" is not in it"))
        #expect(complaint { try extract(ZipBytes([good, good])) }.contains("occurs twice"))
    }

    @Test func directories() {
        var zip = ZipBytes([.init(name: "a", content: [1])])
        zip.directoryOffset = 1 << 30
        #expect(complaint { try extract(zip) }.contains("lies outside of the file"))
        zip.directoryOffset = 1
        #expect(complaint { try extract(zip) }.contains("no entry at byte 1"))
        zip.directoryOffset = nil
        zip.count = 2
        #expect(complaint { try extract(zip) }.contains("promises 2 zip entries"))
        zip.count = 0xFFFF
        #expect(complaint { try extract(zip) }.contains("promises 65535 zip entries"))
        for bytes in [[], [1, 2, 3], [UInt8](repeating: 0, count: 100_000), Array("PK\u{5}\u{6}".utf8)] {
            #expect(complaint { try extract(bytes, "a", size: 1) }.contains("zip directory at its end is missing"))
        }
    }

    /// Every prefix, and many changed bytes: extracts the right bytes or throws a `ModelStoreError`, never crashes.
    @Test func damagedArchives() throws {
        let content = (0..<3000).map { UInt8(truncatingIfNeeded: $0 * $0 >> 3) }
        let whole = ZipBytes([.init(name: "a", content: content), .init(name: "b", content: [1])]).bytes
        for count in stride(from: 0, to: whole.count, by: 13) {
            #expect(complaint { try extract(Array(whole[..<count]), "a", size: 3000) }.contains("x.zip"))
        }
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<400 {
            var bytes = whole
            for _ in 0..<2 {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            do {
                #expect(try extract(bytes, "a", size: 3000) == content)
            } catch {
                #expect(error is ModelStoreError || error is CheckpointError, "\(error)")
            }
        }
    }
}
