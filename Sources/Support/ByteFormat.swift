import Foundation

/// Byte counts as text, in binary units.
package enum ByteFormat {
    private static let units = ["B", "KiB", "MiB", "GiB", "TiB"]

    /// Three significant figures, for sentences and tables: `512 B`, `1.5 KiB`, `148 MiB`.
    package static func text(_ bytes: Int) -> String {
        let (value, unit) = scaled(bytes, limit: 1024)
        if unit == 0 { return "\(bytes) B" }
        let decimals: Double = abs(value) >= 100 ? 1 : abs(value) >= 10 ? 10 : 100
        let rounded = (value * decimals).rounded() / decimals
        return decimals == 1 ? "\(Int(rounded)) \(units[unit])" : "\(rounded) \(units[unit])"
    }

    /// One digit after the point, for figures that change or stand in columns: `512 B`, `148.0 MiB`.
    package static func fixed(_ bytes: Int) -> String {
        let (value, unit) = scaled(bytes, limit: 1023.95)
        return unit == 0 ? "\(bytes) B" : String(format: "%.1f \(units[unit])", value)
    }

    /// The number in the first unit in which it is below `limit`, and that unit's index.
    private static func scaled(_ bytes: Int, limit: Double) -> (value: Double, unit: Int) {
        var (value, unit) = (Double(bytes), 0)
        while abs(value) >= limit, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return (value, unit)
    }
}
