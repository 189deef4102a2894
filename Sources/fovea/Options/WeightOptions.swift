import ArgumentParser
import Compute
import NumberFormats
import Models
import Planning
import Transformer

extension ElementFormat: ExpressibleByArgument {
    package init?(argument: String) {
        guard let format = ElementFormat(rawValue: argument.lowercased()) else { return nil }
        self = format
    }

    /// Each option says which it takes.
    package static var allValueStrings: [String] { [] }
}

/// Options of a model's memory, the same in every command.
struct WeightOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Convert the weights to a format while loading: f32, f16, bf16, q8_0, q5_1, q5_0, q4_1, q4_0.",
            valueName: "format"))
    var weights: ElementFormat?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Length of the context in tokens, for models that can have more or fewer.", valueName: "tokens")
    )
    var context: Int?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Format of cached keys and values: f16, or f32, which takes twice the memory and is what the reference computes. The default is f16, and f32 for traces.",
            valueName: "format"))
    var kv: ElementFormat?

    func validate() throws {
        if let kv, !KeyValueCache.formats.contains(kv) {
            throw ValidationError(
                "--kv: keys and values cannot be kept in \(kv.rawValue); possible are \(KeyValueCache.formats.map(\.rawValue).joined(separator: ", "))"
            )
        }
        if let context, context < 1 { throw ValidationError("--context: at least 1") }
        if let weights, !LoadOptions.weightFormats.contains(weights) {
            throw ValidationError(
                "--weights: weights cannot be converted to \(weights.rawValue); possible are \(LoadOptions.weightFormats.map(\.rawValue).joined(separator: ", "))"
            )
        }
    }

    /// Refuses a context that the declared model does not have.
    func check(_ model: any Model) throws {
        guard let context, context != model.contextLength else { return }
        throw ProgramError.option(
            name: "--context",
            problem: "a context of \(context) tokens is not possible: this model has \(model.contextLength)")
    }

    var load: LoadOptions { load(keyValues: .f16) }

    /// The options for a trace: as the reference computes, unless something else is asked for.
    var traceLoad: LoadOptions { load(keyValues: .f32) }

    private func load(keyValues format: ElementFormat) -> LoadOptions {
        LoadOptions(weights: weights, contextLength: context, keyValues: kv ?? format)
    }
}

/// Random weights instead of a model's own, for models that are not installed.
struct DummyWeightsOption: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Random weights of a format, made on the device; only the model's config.json is read, or a known one by name.",
            valueName: "format"))
    var dummyWeights: ElementFormat?

    /// Formats that random weights can have.
    static let formats = ElementFormat.weightFormats

    func validate() throws {
        if let dummyWeights, !Self.formats.contains(dummyWeights) {
            throw ValidationError(
                "--dummy-weights: possible are \(Self.formats.map(\.rawValue).joined(separator: ", "))")
        }
    }

    /// The model's files, or its configuration with random weights.
    func files(of model: String, projector: String? = nil, options: LoadOptions) throws -> ModelFiles {
        var files: ModelFiles
        if let dummyWeights {
            if projector != nil || options.weights != nil {
                throw ProgramError.option(
                    name: projector == nil ? "--weights" : "--mmproj",
                    problem: "with --dummy-weights there is nothing to read or convert")
            }
            let path = try KnownConfigurations.location(of: model).path
            guard !path.hasSuffix(".gguf") else {
                throw ProgramError.option(
                    name: "--dummy-weights", problem: "it takes a config.json, a folder that has one, or a name")
            }
            files = try ModelFiles(configuration: path, standIn: .random(dummyWeights))
        } else {
            let location = try ModelArgument.location(of: model)
            files = try ModelFiles(path: location.path, projector: projector ?? location.projector)
        }
        files.options = options
        return files
    }
}

extension PictureSize: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
