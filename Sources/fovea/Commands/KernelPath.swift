import Compute
import NumberFormats

/// The kernel variant that a device would choose, for shapes of a medium-sized model.
struct KernelPath: Encodable {
    let operation: String
    /// The shader and its specialisation constants.
    let variant: String

    /// The kernel families and what is chosen of each, by the same pure functions that choose at run time.
    static func all(on properties: DeviceProperties) -> [KernelPath] {
        let shape = AttentionShape(heads: 8, headDimension: 64)
        func linear(rows: Int, _ format: ElementFormat) -> KernelChoice {
            LinearSelection.select(
                LinearProblem(
                    rows: rows, outputs: 512, inputs: 512, format: format, activation: .none, hasWideRows: true),
                properties)
        }
        let choices: [(String, KernelChoice)] = [
            ("matrix × vector, f16", linear(rows: 1, .f16)), ("matrix × vector, f32", linear(rows: 1, .f32)),
            ("matrix × matrix, f16", linear(rows: 1500, .f16)), ("matrix × matrix, f32", linear(rows: 1500, .f32)),
            ("attention", AttentionSelection.select(shape, queries: 1500, cache: .f32, isWide: true, properties)),
            (
                "attention, one token",
                AttentionDecodeSelection.select(shape, rows: 1, cache: .f32, isWide: true, properties)
            ),
            ("layer norm", NormSelection.select(root: false, rows: 1, isWide: true)),
            ("best tokens", CandidatesSelection.merge(rows: 1, properties)),
        ]
        return choices.map { KernelPath(operation: $0, variant: $1.variant.description) }
    }
}
