@testable import Speech

extension AlignmentWeights {
    /// Seconds at which each generated token begins, as transformers' `return_token_timestamps` gives them: one time more
    /// than there are rows, because the last token shares the time of the one before it.
    func tokenTimes(options: TokenAlignment.Options) -> [Double] {
        let starts = TokenAlignment.path(self, options: options).firstColumns.map { Double($0) * 0.02 }
        return starts + [starts.last ?? 0]
    }
}
