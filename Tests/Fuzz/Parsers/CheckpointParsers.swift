import Checkpoint
import Foundation

/// Readers of weight files.
extension FuzzParser {
    static var checkpoints: [FuzzParser] {
        [
            checkpoint("safetensors", file: "m.safetensors", form: .framed(SafetensorsFraming())),
            index, checkpoint("gguf", file: "m.gguf", form: .framed(GGUFFraming())),
            checkpoint("ctranslate2", file: "model.bin"),
            checkpoint("pickle", file: "m.pt", form: .framed(ZipFraming())),
            checkpoint("pickle-legacy", file: "m.pt"), checkpoint("ggml", file: "ggml-m.bin"),
        ]
    }

    private static func checkpoint(_ name: String, file: String, form: InputForm = .bytes) -> FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: name, form: form) { input in
            try readAll(Checkpoint.open(folder.write(input, to: file)))
        }
    }

    /// `model.safetensors.index.json` beside one shard.
    private static var index: FuzzParser {
        let folder = ScratchFolder()
        let header = #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        _ = try? folder.write(
            SafetensorsFraming().join([Piece(Array(header.utf8)), Piece([0, 0, 0, 0])]), to: "m.safetensors")
        return FuzzParser(name: "safetensors-index", form: .json) { input in
            _ = try folder.write(input, to: Checkpoint.shardIndexName)
            try readAll(Checkpoint.open(folder.path))
        }
    }

    /// Reads what loading reads: every tensor and all metadata.
    private static func readAll(_ checkpoint: Checkpoint) throws {
        for name in checkpoint.names where !checkpoint.unsupported.keys.contains(name) {
            let entry = try checkpoint.entry(name)
            // Views of one stored element can be larger than the file by any factor.
            guard entry.byteCount <= 1 << 20 else { continue }
            let values = try checkpoint.floats(name)
            precondition(values.count == entry.elementCount)
            _ = try? checkpoint.integers(name)
        }
        for alias in checkpoint.aliases.keys { _ = try checkpoint.entry(alias) }
        if let metadata = checkpoint.gguf {
            for key in metadata.keys {
                _ = try? metadata.int(key)
                _ = try? metadata.double(key)
                _ = try? metadata.string(key)
                _ = try? metadata.ints(key)
                _ = try? metadata.floats(key)
                _ = try? metadata.strings(key)
            }
        }
        _ = checkpoint.byteCount
        _ = try? checkpoint.entry("no such tensor.weight")
    }
}
