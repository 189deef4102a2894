import AttentionAnalysis

// The scales of the attention panel.
extension HeatScale {
    /// Three decades below the largest weight.
    static let threeDecades = HeatScale.log(decades: 3)
    static let offered: [HeatScale] = [.linear, .threeDecades, .percentile]

    var name: String {
        switch self {
        case .linear: "linear"
        case .log: "log"
        case .percentile: "percentile"
        }
    }

    var next: HeatScale {
        let place = Self.offered.firstIndex(of: self) ?? 0
        return Self.offered[(place + 1) % Self.offered.count]
    }
}
