import Compute
import ComputeReference
import Models
import TestSupport
import Testing

typealias TestDevice = ComputeReference.TestDevice

/// Holds a trace against a fixture's golden tensors.
struct TraceComparison {
    let golden: Golden
    let prefix: String
    private(set) var compared: Set<String> = []

    init(golden: Golden, prefix: String) {
        self.golden = golden
        self.prefix = prefix
    }

    /// Compares one tensor of the trace under its golden name; names the fixture lacks are passed over.
    mutating func check(
        _ tensor: TraceTensor, as name: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let name = prefix + (name ?? tensor.name)
        guard golden.contains(name) else { return }
        compared.insert(name)
        let mismatch =
            switch tensor.values {
            case .floats(let values): try golden.compare(actual: values, shape: tensor.shape, to: name)
            case .integers(let values): try golden.compare(actual: values, to: name)
            }
        if let mismatch { Issue.record("\(mismatch)", sourceLocation: sourceLocation) }
    }

    /// Golden tensors whose names begin so and that no trace tensor was held against.
    func missing(_ beginnings: [String]) -> [String] {
        golden.tensors.keys.filter { name in
            !compared.contains(name) && beginnings.contains { name.hasPrefix(prefix + $0) }
        }.sorted()
    }
}
