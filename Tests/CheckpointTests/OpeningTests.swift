import Checkpoint
import Foundation
import TestSupport
import Testing

/// `Checkpoint.open` with paths that are not one clear model.
@Suite struct OpeningTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func absentPaths() {
        #expect { try Checkpoint.open("/nonexistent/model") } throws: {
            "\($0)".contains("/nonexistent/model: no such file")
        }
    }

    @Test func emptyFilesAndFolders() throws {
        #expect { try Checkpoint.open(folder.url.path) } throws: { "\($0)".contains("no model.safetensors") }
        let empty = try folder.write([], to: "model.safetensors")
        #expect { try Checkpoint.open(empty) } throws: { "\($0)".contains("ends too early") }
    }

    @Test func pickles() throws {
        _ = try folder.write([0x80, 2], to: "pytorch_model.bin")
        #expect { try Checkpoint.open(folder.url.path) } throws: { "\($0)".contains("pickle") }
    }

    @Test func aModelBinOfAnotherProgram() throws {
        _ = try folder.write([UInt8](repeating: 0x55, count: 100), to: "model.bin")
        #expect { try Checkpoint.open(folder.url.path) } throws: { "\($0)".contains("not a model this program reads") }
    }

    @Test func textFiles() throws {
        let path = try folder.write("hello, this is not a model", to: "notes.txt")
        #expect { try Checkpoint.open(path) } throws: { "\($0)".contains("no known format") }
    }

    @Test func specialFiles() {
        #expect(throws: CheckpointError.self) { try Checkpoint.open("/dev/null") }
    }

    @Test func theFormatIsFoundByContentWhateverTheName() throws {
        let path = folder.path("weights")
        let writer = try SafetensorsWriter(path: path)
        try writer.add("a", shape: [1], floats: [1])
        try writer.finish()
        #expect(try Checkpoint.open(path).format == .safetensors)
        let other = try folder.write(CTranslate2Tests.small.bytes, to: "other")
        #expect(try Checkpoint.open(other).format == .cTranslate2)
    }
}
