/// Bounds of a number in a configuration. Unlike a `ClosedRange` they may contain nothing: where a bound depends on another
/// number of the file, that one may be wrong too.
struct SizeBounds {
    let low: Int
    let high: Int

    static func from(_ low: Int, to high: Int) -> SizeBounds { SizeBounds(low: low, high: high) }

    func contains(_ value: Int) -> Bool { low <= value && value <= high }
}
