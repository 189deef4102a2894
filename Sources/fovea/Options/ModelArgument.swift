import ModelStore
import ArgumentParser
import Checkpoint
import Foundation

/// The `MODEL` argument of every command: the name of an installed model, a folder, or a file.
struct ModelArgument: ParsableArguments {
    @Argument(help: "The name of a model of `fovea models`, a folder, or a file of weights.")
    var model: String

    /// The files of the model.
    ///
    /// - Throws: an error that says what there is and how to get what is not.
    func location() throws(ModelStoreError) -> ModelLocation { try Self.location(of: model) }

    static func location(of model: String) throws(ModelStoreError) -> ModelLocation {
        try ModelStore.standard().resolve(model)
    }
}

/// The second file of a model that sees, where its text model is a GGUF file.
struct ProjectorOption: ParsableArguments {
    @Option(
        name: .long, help: ArgumentHelp("The vision part of a GGUF model, llama.cpp's mmproj file.", valueName: "file"))
    var mmproj: String?

    var path: String? { mmproj.map { ($0 as NSString).expandingTildeInPath } }
}
