import Compute
import AttentionTypes
import NumberFormats

/// Problems between a checkpoint and a model's layers, or of an input's size.
package enum TransformerError: Error, Sendable, CustomStringConvertible {
    /// The checkpoint lacks a tensor the model needs.
    case missingTensor(file: String, tensor: String, expected: [Int])
    /// There is a configuration, but nothing to load.
    case noWeights(file: String)
    /// A tensor has another shape than the configuration says.
    case shapeMismatch(file: String, tensor: String, expected: [Int], actual: [Int])
    /// A tensor is stored in a format the engine has no kernel for.
    case unsupportedFormat(file: String, tensor: String, format: ElementFormat, supported: [ElementFormat])
    /// A pass was asked of a model that is not on a device.
    case notLoaded(model: String)
    /// A decoder was started before its encoder had read anything.
    case nothingEncoded(model: String)
    /// More positions were asked for than the model has.
    case contextOverflow(model: String, positions: Int, limit: Int)
    /// A token id outside the vocabulary.
    case tokenOutOfRange(id: Int, vocabulary: Int)
    /// Input features of the wrong size.
    case inputShape(what: String, expected: [Int], actual: [Int])

    package var description: String {
        switch self {
        case .missingTensor(let file, let tensor, let expected):
            "\(file): the tensor “\(tensor)” \(expected) is missing. The file is incomplete, or belongs to another architecture than its configuration says."
        case .noWeights(let file):
            "\(file): there is a configuration but no weights; it can be planned for, or be measured with random weights (--dummy-weights)"
        case .shapeMismatch(let file, let tensor, let expected, let actual):
            "\(file): the tensor “\(tensor)” has shape \(actual), the configuration says \(expected). Weights and configuration are not of the same model."
        case .unsupportedFormat(let file, let tensor, let format, let supported):
            "\(file): the tensor “\(tensor)” is stored as \(format.rawValue); supported here: \(supported.map(\.rawValue).joined(separator: ", "))."
        case .notLoaded(let model):
            "\(model) is not loaded on a device"
        case .nothingEncoded(let model):
            "\(model) has not read an input yet: encode one before decoding"
        case .contextOverflow(let model, let positions, let limit):
            "\(model) has room for \(limit) positions; \(positions) were asked for. Shorten the prompt or start a new conversation."
        case .tokenOutOfRange(let id, let vocabulary):
            "token id \(id) is outside the vocabulary of \(vocabulary)"
        case .inputShape(let what, let expected, let actual):
            "\(what) must have shape \(expected), not \(actual)"
        }
    }
}
