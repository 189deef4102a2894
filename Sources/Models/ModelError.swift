import Checkpoint
import NumberFormats
import JSON

/// Problems of a model's files, or inputs that a model does not take.
package enum ModelError: Error, Sendable, CustomStringConvertible {
    /// A value in a configuration that cannot be right.
    case configuration(file: String, key: String, problem: String)
    /// A tensor whose rank shows that the file is not what it says.
    case unexpectedRank(file: String, tensor: String, rank: Int, shape: [Int])
    /// No architecture here reads this model type.
    case unknownArchitecture(file: String, type: String, known: [String])
    /// Weights cannot be converted to this format.
    case weightFormat(ElementFormat, possible: [ElementFormat])
    /// An input of a kind that the model does not take.
    case unsupportedInput(model: String, input: ModelInputKind)
    /// A task's mark that the model does not know, or that lacks words or has too many.
    case task(String, problem: String, known: [String])
    /// A prompt has more image tokens than the model's pictures have rows to put there.
    case picturesMissing(model: String, tokens: Int, rows: Int)

    package var description: String {
        switch self {
        case .configuration(let file, let key, let problem):
            "\(file): “\(key)”: \(problem)"
        case .unexpectedRank(let file, let tensor, let rank, let shape):
            "\(file): the tensor “\(tensor)” should have \(rank) dimensions, but is \(shape)"
        case .unknownArchitecture(let file, let type, let known):
            "\(file): the architecture “\(type)” is not known here. Known: \(known.joined(separator: ", "))."
        case .weightFormat(let format, let possible):
            "weights cannot be converted to \(format.rawValue); --weights takes \(possible.map(\.rawValue).joined(separator: ", "))"
        case .unsupportedInput(let model, let input):
            "\(model) takes no input of the kind “\(input.rawValue)”"
        case .task(let mark, let problem, let known):
            "the task “\(mark)”: \(problem). Tasks: \(known.joined(separator: ", "))."
        case .picturesMissing(let model, let tokens, let rows):
            "the prompt has \(tokens) image tokens, but the pictures \(model) was given make \(rows): give it as many pictures as the prompt mentions"
        }
    }

    /// Checks that a size lies within what any model of the kind could have.
    static func requireRange(_ file: String, _ limits: [(key: String, value: Int, bounds: SizeBounds)]) throws {
        for (key, value, bounds) in limits where !bounds.contains(value) {
            throw ModelError.configuration(
                file: file, key: key, problem: "\(value) is not within \(bounds.low)…\(bounds.high)")
        }
    }

    /// Checks that a configuration's activation is one the architecture's layers implement.
    static func requireActivation(
        _ file: JSONReader, key: String, default fallback: String, supported: [String]
    ) throws {
        let name = try file.string(key, default: fallback)
        guard supported.contains(name) else {
            throw ModelError.configuration(
                file: file.file, key: key,
                problem: "the activation “\(name)” is not supported (supported: \(supported.joined(separator: ", ")))")
        }
    }
}
