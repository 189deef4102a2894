import Compute
import Foundation

/// Applies the sampling filters to a row's top candidates alone, where the result is certain.
///
/// The result is exactly that of the filters on the whole row. Values come from the same divisions. Top-p
/// needs the row's log-sum-exp, which the device computes; the result is `nil` where its rounding could change it.
struct CandidateFilter: Sendable {
    private let options: SamplingOptions
    private let filters: [any LogitsProcessor]
    private let filtersAfterTopP: [any LogitsProcessor]

    /// `nil` for options with which the tokens beyond the candidates always or mostly matter.
    init?(_ options: SamplingOptions) {
        guard options.processors.isEmpty, options.temperature > 0 else { return nil }
        if let topK = options.topK {
            guard topK < TokenCandidates.capacity else { return nil }
        } else {
            guard options.topP ?? 1 < 1 || options.minP ?? 0 > 0 else { return nil }
        }
        self.options = options
        var rest = options
        rest.temperature = 1
        filters = rest.warpers
        rest.topP = nil
        filtersAfterTopP = rest.warpers
    }

    /// The tokens that pass, by ascending id, with their logits over the temperature; a logit of −∞ marks a removed one.
    /// `nil` when the candidates are not sufficient.
    ///
    /// - Parameter row: made at the options' temperature.
    func survivors(of row: TokenCandidates) -> (ids: [Int], logits: [Float])? {
        guard row.logSumExp.isFinite, let best = row.logits.first, let last = row.logits.last else { return nil }
        let temperature = options.temperature
        func scaled(_ logit: Float) -> Float { temperature == 1 ? logit : logit / temperature }
        let order = row.ids.indices.sorted { row.ids[$0] < row.ids[$1] }
        let ids = order.map { row.ids[$0] }
        var logits = order.map { scaled(row.logits[$0]) }
        // Nothing beyond the candidates is above this; what is equal to it may be beyond them.
        let floor = scaled(last)
        var rest = filters
        if row.isWhole {
            // Then the filters have all there is.
        } else if let topK = options.topK {
            guard scaled(row.logits[topK - 1]) > floor else { return nil }
        } else if let topP = options.topP, topP < 1 {
            guard let nucleus = nucleus(of: logits, mass: Double(topP), above: floor, row) else { return nil }
            for index in logits.indices where !nucleus.contains(index) { logits[index] = -.infinity }
            rest = filtersAfterTopP
        } else {
            // The test of `MinP`: what is below the last candidate fails it when the candidate does.
            guard let minP = options.minP, expf(floor - scaled(best)) < minP else { return nil }
        }
        rest.process(&logits, context: TokenContext())
        return (ids, logits)
    }

    /// The places that top-p keeps.
    /// - Parameters:
    ///   - logits: over the temperature, by ascending id.
    ///   - floor: what is not above it may have equals that are not here.
    private func nucleus(of logits: [Float], mass: Double, above floor: Float, _ row: TokenCandidates) -> Set<Int>? {
        let normalizer = row.scaledLogSumExp
        guard normalizer.isFinite else { return nil }
        // Bound on the difference from the host's probability: the device's exp and sums in 32 bits (Vulkan allows exp(−x) an
        // error of 3 + 2x units; what weighs has x < 10), and the rounding of logits that are large over the temperature.
        let slack = mass * (4e-5 + 4 * Double((abs(normalizer) + 20).ulp))
        var kept: Set<Int> = []
        var reached = 0.0
        var isDecided = false
        RankedSelection.descending(logits) { index in
            guard abs(reached - mass) > slack || kept.isEmpty else { return false }
            if reached > mass {
                isDecided = true
                return false
            }
            guard logits[index] > floor else { return false }
            kept.insert(index)
            reached += Double(expf(logits[index] - normalizer))
            return true
        }
        return isDecided ? kept : nil
    }
}
