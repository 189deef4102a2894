import ModelStore
import ArgumentParser
import Checkpoint
import Foundation

/// The `MODEL` argument of every command: the name of an installed model, a folder, or a file.
struct ModelArgument: ParsableArguments {
    @Argument(help: "The name of an installed model (`fovea models`), a folder, or a file of weights.")
    var model: String

    func path() throws(ModelStoreError) -> String { try Self.path(of: model) }

    /// The path of a folder or file for `Checkpoint.open`.
    ///
    /// - Throws: an error that says what there is and how to get what is not.
    static func path(of model: String) throws(ModelStoreError) -> String {
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
