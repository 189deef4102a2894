import Checkpoint
import Foundation
import JSON

/// Reference values of one model: tensors in `golden.safetensors`, their tolerances in `golden.json`.
package final class Golden: Sendable {
    /// The largest allowed distance of a computed value from the reference.
    package enum Tolerance: Sendable, Hashable {
        /// max|a − b| ≤ value
        case absolute(Float)
        /// max|a − b| ≤ value · max|reference|
        case relative(Float)
        case exact
    }

    package struct Tensor: Sendable, Hashable {
        package let shape: [Int]
        package let tolerance: Tolerance
        package let about: String
    }

    package let folder: URL
    package let tensors: [String: Tensor]
    /// All of `golden.json`: greedy ids, prompts, cases.
    package let meta: JSONValue
    package let checkpoint: Checkpoint

    package init(folder: URL) throws {
        self.folder = folder
        checkpoint = try Checkpoint.open(folder.appending(path: "golden.safetensors").path)
        let file = try JSONReader(contentsOf: folder.appending(path: "golden.json").path)
        meta = file.value
        let described = try file.object("tensors")
        var tensors: [String: Tensor] = [:]
        for name in described.members.keys {
            let tensor = try described.object(name)
            tensors[name] = Tensor(
                shape: try tensor.ints("shape"), tolerance: try Self.tolerance(try tensor.object("tolerance")),
                about: try tensor.string("about", default: ""))
        }
        self.tensors = tensors
    }

    private static func tolerance(_ object: JSONReader) throws -> Tolerance {
        switch try object.string("kind") {
        case "abs": .absolute(Float(try object.double("value")))
        case "rel": .relative(Float(try object.double("value")))
        case "exact": .exact
        case let kind:
            throw try object.member("kind").wrongType(expected: "abs, rel or exact", actual: kind)
        }
    }

    package func contains(_ name: String) -> Bool { checkpoint.contains(name) }
    package func floats(_ name: String) throws -> [Float] { try checkpoint.floats(name) }
    package func integers(_ name: String) throws -> [Int] { try checkpoint.integers(name) }
    package func shape(_ name: String) throws -> [Int] { try checkpoint.entry(name).shape }

    /// Compares computed values with the reference tensor `name`, by its own tolerance or by `tolerance`.
    ///
    /// - Returns: `nil` when they agree, else a sentence with the place and size of the worst difference.
    package func compare(
        actual: [Float], shape: [Int], to name: String, tolerance: Tolerance? = nil
    ) throws -> String? {
        let reference = try checkpoint.entry(name)
        guard reference.shape == shape else { return "\(name): shape \(shape), expected \(reference.shape)" }
        guard actual.count == reference.elementCount else {
            return "\(name): \(actual.count) values for shape \(shape)"
        }
        let expected = try floats(name)
        let largest = expected.reduce(0) { max($0, abs($1)) }
        let bound: Float =
            switch tolerance ?? tensors[name]?.tolerance ?? .exact {
            case .absolute(let value): value
            case .relative(let value): value * largest
            case .exact: 0
            }
        var worst = 0
        var worstError: Float = -1
        var outside = 0
        for index in expected.indices {
            // Equal infinities agree; anything with NaN does not unless both are.
            let same = actual[index] == expected[index] || (actual[index].isNaN && expected[index].isNaN)
            let difference = same ? 0 : abs(actual[index] - expected[index])
            let error = difference.isNaN ? Float.infinity : difference
            if error > bound { outside += 1 }
            if error > worstError { (worst, worstError) = (index, error) }
        }
        guard outside > 0 else { return nil }
        return "\(name) \(shape): \(outside) of \(expected.count) values differ by more than \(bound); "
            + "worst at \(Self.position(worst, in: shape)): \(actual[worst]), expected \(expected[worst]) "
            + "(difference \(worstError), largest reference value \(largest))"
    }

    /// Compares token ids and other integers.
    package func compare(actual: [Int], to name: String) throws -> String? {
        let expected = try integers(name)
        guard actual != expected else { return nil }
        let first =
            zip(actual, expected).enumerated().first { $0.element.0 != $0.element.1 }?.offset
            ?? min(actual.count, expected.count)
        return "\(name): \(actual.count) integers, expected \(expected.count); first difference at \(first): "
            + "\(actual[first...].prefix(8)), expected \(expected[first...].prefix(8))"
    }

    /// The index `[head, query, key]` of a row-major position.
    private static func position(_ index: Int, in shape: [Int]) -> [Int] {
        var rest = index
        return shape.reversed().map { dimension in
            defer { rest /= max(dimension, 1) }
            return rest % max(dimension, 1)
        }.reversed()
    }
}
