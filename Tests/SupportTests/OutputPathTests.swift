import Foundation
import Testing

@testable import Support

@Suite("targets of output") struct OutputPathTests {
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "fovea-output-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    private func path(_ name: String) -> String { folder.appending(path: name).path }

    @Test func kinds() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(OutputPath(path("new")) == .file(path("new")))
        #expect(OutputPath("/dev/null") == .stream("/dev/null"))
        #expect(OutputPath(folder.path) == .folder(folder.path))
        try #require(mkfifo(path("fifo"), 0o600) == 0)
        #expect(OutputPath(path("fifo")) == .stream(path("fifo")))
        #expect(OutputPath("relative-and-absent") == .file("relative-and-absent"))
    }

    @Test("symbolic links stay, their targets are written")
    func links() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        let files = FileManager.default
        try files.createSymbolicLink(atPath: path("second"), withDestinationPath: "first")
        try files.createSymbolicLink(atPath: path("first"), withDestinationPath: path("target"))
        for content in ["new", "replaced"] {
            try OutputPath(path("second")).write(Data(content.utf8))
            #expect(try String(contentsOfFile: path("target"), encoding: .utf8) == content)
        }
        #expect(try files.destinationOfSymbolicLink(atPath: path("second")) == "first")
        #expect(try files.destinationOfSymbolicLink(atPath: path("first")) == path("target"))
    }

    @Test("devices are written to, folders refused")
    func others() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try OutputPath("/dev/null").write(Data("gone".utf8))
        var status = stat()
        #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
        #expect(throws: POSIXError.self) { try OutputPath(folder.path).write(Data()) }
    }
}
