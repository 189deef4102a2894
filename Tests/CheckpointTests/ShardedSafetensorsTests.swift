import Checkpoint
import Foundation
import TestSupport
import Testing

@Suite struct ShardedSafetensorsTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func shard(_ name: String, _ tensors: [String]) throws {
        let writer = try SafetensorsWriter(path: folder.path(name))
        for (index, tensor) in tensors.enumerated() { try writer.add(tensor, shape: [1], floats: [Float(index)]) }
        try writer.finish()
    }

    private func index(_ map: String) throws {
        _ = try folder.write(#"{"metadata":{},"weight_map":\#(map)}"#, to: "model.safetensors.index.json")
    }

    @Test(.enabled(if: Fixtures.available)) func shardsHoldTheSameModelAsOneFile() throws {
        let one = try Checkpoint.open(Fixtures.model("t5").path)
        let many = try Checkpoint.open(Fixtures.model("t5-sharded").path)
        #expect(many.format == .shardedSafetensors)
        #expect(many.files.count == 12)
        #expect(Set(many.names) == Set(one.names))
        for name in one.names { #expect(try one.floats(name) == many.floats(name), "\(name)") }
    }

    @Test func anAbsentShardIsNamed() throws {
        try shard("model-1.safetensors", ["a"])
        try index(#"{"a":"model-1.safetensors","b":"model-2.safetensors"}"#)
        #expect { try Checkpoint.open(folder.url.path) } throws: {
            "\($0)".contains("model-2.safetensors: the shard is missing")
        }
    }

    @Test func aTensorThatIsNotInItsShardIsNamed() throws {
        try shard("model-1.safetensors", ["a"])
        try index(#"{"a":"model-1.safetensors","b":"model-1.safetensors"}"#)
        #expect { try Checkpoint.open(folder.url.path) } throws: { "\($0)".contains("tensor \"b\"") }
    }

    @Test(arguments: [
        "../outside.safetensors", "/etc/passwd", "sub/x.safetensors", "..", "", "model.safetensors.index.json",
        ".hidden.safetensors", "a\\\\b.safetensors", "x\\u0000.safetensors",
    ])
    func shardNamesMayNotLeadElsewhere(name: String) throws {
        try index(#"{"a":"\#(name)"}"#)
        #expect { try Checkpoint.open(folder.url.path) } throws: {
            "\($0)".contains("not the name of a safetensors file")
        }
    }

    @Test(arguments: [#"[]"#, #"{"a":1}"#, #"{}"#, #"{"a":"#]) func malformedIndexesAreRefused(map: String) throws {
        try index(map)
        #expect { try Checkpoint.open(folder.url.path) } throws: {
            $0 is CheckpointError && "\($0)".contains("index.json")
        }
    }

    @Test func onlyTheMappedCopyOfATensorCounts() throws {
        try shard("model-1.safetensors", ["x", "a"])
        try shard("model-2.safetensors", ["a", "b"])
        try index(#"{"a":"model-1.safetensors","b":"model-2.safetensors"}"#)
        let checkpoint = try Checkpoint.open(folder.url.path)
        #expect(Set(checkpoint.names) == ["a", "b"])
        #expect(try checkpoint.floats("a") == [1])
        #expect(try checkpoint.floats("b") == [1])
    }
}
