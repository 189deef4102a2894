import Checkpoint
import Foundation
import TestSupport
import Testing

/// Files written here, read by the reference implementation of safetensors. Runs where `FOVEA_TEST_PYTHON` names a
/// Python that has `safetensors` and `numpy`.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_TEST_PYTHON"] != nil))
struct ReferenceImplementationTests {
    @Test func writtenFilesAreReadByTheReference() throws {
        let python = try #require(ProcessInfo.processInfo.environment["FOVEA_TEST_PYTHON"])
        let folder = try TemporaryFolder()
        let path = folder.path("x.safetensors")
        let writer = try SafetensorsWriter(path: path, metadata: ["format": "pt", "odd \"key\"": "\t"])
        try writer.add("step0.cross.0", shape: [1, 2, 3], floats: [0, 1, 2, 3, 4, 5.5])
        try [Int32(-3)].withUnsafeBytes { try writer.add("one", shape: [1], format: .i32, bytes: $0) }
        try writer.add("ids é", shape: [2], integers: [1 << 40, -1])
        try writer.add("empty", shape: [0, 2], floats: [])
        try writer.finish()
        let script = """
            import sys
            from safetensors import safe_open
            with safe_open(sys.argv[1], "numpy") as f:
                assert f.metadata() == {"format": "pt", 'odd "key"': "\\t"}, f.metadata()
                t = {k: f.get_tensor(k) for k in f.keys()}
            assert t["step0.cross.0"].tolist() == [[[0, 1, 2], [3, 4, 5.5]]] and t["step0.cross.0"].dtype == "float32"
            assert t["one"].tolist() == [-3] and t["one"].dtype == "int32"
            assert t["ids é"].tolist() == [1 << 40, -1] and t["ids é"].dtype == "int64"
            assert t["empty"].shape == (0, 2) and len(t) == 4
            """
        let process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = ["-c", script, path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }
}
