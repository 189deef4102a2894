import ArgumentParser
import Checkpoint
import Foundation
import Media
import PlaygroundCore

/// A model and its input: files of any kind in any order, and the options that name their kind.
struct InputArguments: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "A model, pictures, and a recording, in any order.",
            discussion: "A model is a name of `fovea models`, a folder, or a file of weights.",
            valueName: "model-or-file"))
    var items: [String] = []

    @Option(name: .long, help: ArgumentHelp("A picture; may be given several times.", valueName: "file"))
    var image: [String] = []

    @Option(name: .long, help: ArgumentHelp("A recording, for speech models.", valueName: "file"))
    var audio: String?

    @OptionGroup var projector: ProjectorOption

    /// The arguments by kind.
    struct Sorted {
        var model: String?
        /// The vision part of the model.
        var projector: String?
        var pictures: [String]
        var recording: String?
    }

    private static let weightFiles: Set<String> = ["safetensors", "gguf", "bin", "json", "pt", "pth"]

    func validate() throws { _ = try sorted() }

    /// Tells models, pictures and recordings among the arguments apart: what is a file, but no file of weights, is a
    /// picture or a recording. Of two GGUF files, the one with a vision tower alone belongs to the other.
    func sorted() throws -> Sorted {
        func expanded(_ path: String) -> String { (path as NSString).expandingTildeInPath }
        var models: [String] = []
        var pictures = image.map(expanded)
        var recordings = (audio.map { [$0] } ?? []).map(expanded)
        var projectors = projector.path.map { [$0] } ?? []
        for item in items {
            let path = expanded(item)
            var isFolder: ObjCBool = false
            let isFile = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
            let kind = (path as NSString).pathExtension.lowercased()
            if isFile, kind == "gguf", Self.isProjector(path) {
                projectors.append(path)
            } else if !isFile || Self.weightFiles.contains(kind) {
                models.append(item)
            } else if PictureFile.isNamed(path) || (try? ImageFile.info(path: path)) != nil {
                pictures.append(path)
            } else {
                recordings.append(path)
            }
        }
        for (kind, list) in [("models", models), ("recordings", recordings), ("mmproj files", projectors)]
        where list.count > 1 {
            throw ValidationError("\(kind): \(list.joined(separator: " and ")); give one")
        }
        return Sorted(
            model: models.first, projector: projectors.first, pictures: pictures, recording: recordings.first)
    }

    /// True for a GGUF file with a vision tower and no text model.
    private static func isProjector(_ path: String) -> Bool {
        let gguf = try? Checkpoint.open(path).gguf
        return (try? gguf?.stringIfPresent("general.architecture")) == "clip"
    }
}
