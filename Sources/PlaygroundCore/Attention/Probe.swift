/// A position of the input.
package enum Probe: Sendable, Hashable {
    /// A point of a picture, in shares of width and height.
    case point(picture: Int, x: Double, y: Double)
    /// A moment of sound, in shares of the window.
    case moment(window: Int, Double)
    /// A word of the source, by its key.
    case word(Int)
}

/// Each token's attention to a position of the input.
struct ProbeLooks: Sendable, Hashable {
    var message: Int
    /// Index of the first token with an entry.
    var first: Int
    /// The weight on the position per token; nil without attention.
    var weights: [Float?]
    let most: Float

    init(message: Int, first: Int, weights: [Float?]) {
        self.message = message
        self.first = first
        self.weights = weights
        most = weights.reduce(0) { max($0, $1 ?? 0) }
    }

    /// 0…1 relative to the strongest token; nil without attention.
    func strength(of place: TokenPlace) -> Float? {
        guard place.message == message, most > 0, weights.indices.contains(place.token - first) else { return nil }
        return weights[place.token - first].map { $0 / most }
    }

    /// The tokens with the largest weights, the strongest first.
    func strongest(_ count: Int) -> [(token: Int, weight: Float)] {
        weights.enumerated().compactMap { number, weight in weight.map { (token: first + number, weight: $0) } }
            .filter { $0.weight > 0 }.sorted { $0.weight > $1.weight }.prefix(count).map { $0 }
    }
}
