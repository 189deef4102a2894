import Checkpoint
import Foundation
import JSON

@testable import ModelStore

/// Readers of answers of servers, archives, and files of other programs.
extension FuzzParser {
    static var stores: [FuzzParser] {
        [hub, packageIndex, pip, ollama, manifest, wheel]
    }

    /// A hub's list of the files of a repository.
    private static let hub = FuzzParser(name: "hub", form: .json) { input in
        let source = try HubSource(
            owner: "a", repository: "b", file: nil, name: "a/b", memory: 1 << 30, environment: [:])
        let (files, revision) = try source.read(JSONParser.parse(input))
        precondition(revision.utf8.count <= 64)
        for chosen in [nil, "Q8_0", "model.safetensors"] {
            let selection = HubSelection(repository: "a/b", chosen: chosen, memory: 1 << 30)
            for file in (try? selection.choose(files)) ?? [] {
                precondition(FileNames.isPlain(file.name) && file.byteCount >= 0)
                _ = HubClient.escaped(file.name)
            }
        }
    }

    private static let packageIndex = FuzzParser(name: "package-index", form: .json) { input in
        guard let base = URL(string: "https://example.org/simple/m/") else { return }
        let html = PackageIndex.files(html: String(decoding: input, as: UTF8.self), at: base)
        let json = try? PackageIndex.files(json: input, at: base, package: "m 1.0")
        for file in html + (json ?? []) { precondition(file.url.scheme == "https") }
    }

    private static let pip = FuzzParser(name: "pip", form: .framed(LineFraming())) { input in
        let settings = PipConfiguration.settings(in: String(decoding: input, as: UTF8.self))
        for address in settings.values.joined(separator: " ").split(whereSeparator: \.isWhitespace) {
            _ = try PackageIndex(address: String(address))
        }
    }

    private static var ollama: FuzzParser {
        let folder = ScratchFolder()
        let manifests = folder.path + "/manifests/registry.ollama.ai/library/m"
        try? FileManager.default.createDirectory(atPath: manifests, withIntermediateDirectories: true)
        return FuzzParser(name: "ollama", form: .json) { input in
            _ = try folder.write(input, to: "manifests/registry.ollama.ai/library/m/latest")
            precondition(OllamaStore.models(in: folder.path).count == 1)
        }
    }

    private static var manifest: FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: "manifest", form: .json) { input in
            _ = try folder.write(input, to: ModelManifest.fileName)
            for file in try ModelManifest(folder: folder.path).files { precondition(FileNames.isPlain(file.name)) }
        }
    }

    /// A wheel, each member unpacked.
    private static var wheel: FuzzParser {
        let folder = ScratchFolder()
        return FuzzParser(name: "wheel", form: .framed(ZipFraming())) { input in
            let path = try folder.write(input, to: "m.whl")
            let archive = try ZipArchive(path: path), directory = try ZipDirectory(MappedFile(path: path))
            for name in directory.names.sorted().prefix(16) {
                guard let size = try? directory.find(name)?.entry.size, size <= 1 << 20 else { continue }
                let output = try OutputFile(path: folder.path + "/member")
                try archive.extract(name, size: size, to: output)
                try output.close()
            }
        }
    }
}
