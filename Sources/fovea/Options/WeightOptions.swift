import ArgumentParser
import Formats
import Models

extension ElementFormat: ExpressibleByArgument {
    public init?(argument: String) {
        guard let format = ElementFormat(rawValue: argument.lowercased()) else { return nil }
        self = format
    }

    public static var allValueStrings: [String] { LoadOptions.weightFormats.map(\.rawValue) }
}

/// What a person may ask of a model's memory, the same in every command.
struct WeightOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Convert the weights to a format while loading: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0.", valueName: "format"))
    var weights: ElementFormat?

    @Option(name: .long, help: ArgumentHelp("Make room for so many tokens, where the model can have more or fewer.", valueName: "tokens"))
    var context: Int?

    func validate() throws {
        if let context, context < 1 { throw ValidationError("--context: at least 1") }
        if let weights, !LoadOptions.weightFormats.contains(weights) {
            throw ValidationError(
                "--weights: weights cannot be converted to \(weights.rawValue); possible are \(LoadOptions.weightFormats.map(\.rawValue).joined(separator: ", "))")
        }
    }

    var load: LoadOptions { LoadOptions(weights: weights, contextLength: context) }
}

/// Width and height of a picture, as people write them: `640x480`.
struct PictureSize: ExpressibleByArgument {
    let width: Int
    let height: Int

    init?(argument: String) {
        let parts = argument.lowercased().replacing("×", with: "x").split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let width = parts[0], let height = parts[1], (1...100_000).contains(width), (1...100_000).contains(height) else { return nil }
        self.width = width
        self.height = height
    }
}
