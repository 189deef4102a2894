import Foundation
import Testing

@testable import Support

@Suite struct RegularFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "fovea-files-\(UUID().uuidString)")
    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func problem(_ path: String) -> RegularFile.Problem? {
        do {
            _ = try RegularFile(path: path).contents(limit: 100)
        } catch {
            return error
        }
        return nil
    }

    @Test("a pipe that nobody writes to, a device and a folder are refused at once, by name", .timeLimit(.minutes(1)))
    func special() throws {
        let pipe = folder.appending(path: "pipe").path
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(problem(pipe) == .special(kind: "a pipe"))
        #expect(problem("/dev/zero") == .special(kind: "a device"))
        #expect(problem(folder.path) == .folder)
        #expect(problem(folder.path + "/absent") == .absent)
        #expect(problem("a\0b") == .absent)
    }

    @Test("a pointer of git-lfs is named, with the size of the file")
    func pointer() throws {
        let file = folder.appending(path: "model.safetensors")
        let text = "version https://git-lfs.github.com/spec/v1\noid sha256:0123\nsize 4938985352\n"
        try Data(text.utf8).write(to: file)
        #expect(problem(file.path) == .lfsPointer(byteCount: 4_938_985_352))
        #expect(problem(file.path)?.description.contains("git lfs pull") == true)
    }

    @Test("contents up to a limit")
    func contents() throws {
        let file = folder.appending(path: "text")
        try Data("hello".utf8).write(to: file)
        #expect(try RegularFile(path: file.path).contents(limit: 5) == Array("hello".utf8))
        #expect(try RegularFile(path: file.path).bytes(at: 3, count: 9) == Array("lo".utf8))
        #expect(throws: RegularFile.Problem.tooLarge(byteCount: 5, limit: 4)) {
            try RegularFile(path: file.path).contents(limit: 4)
        }
    }
}
