import Foundation
import ModelStore
import Support

/// Numbers as text.
package enum Figures {
    /// `148.2 MiB`, always with one digit after the point above bytes.
    package static func bytes(_ bytes: Int) -> String { ByteFormat.fixed(bytes) }

    /// `12.0 MiB of 74.4 MiB`; without the total while it is unknown.
    static func bytes(of download: PullProgress) -> String {
        bytes(download.receivedBytes) + (download.totalBytes.map { " of " + bytes($0) } ?? "")
    }

    /// `0:03.2`, `12:40.0`.
    package static func time(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e9 else { return "–" }
        let tenths = Int((max(0, seconds) * 10).rounded())
        let minutes = tenths / 600, rest = tenths % 600
        return "\(minutes):\(rest < 100 ? "0" : "")\(rest / 10).\(rest % 10)"
    }

    /// `3.24`, `1:03.24`, for times of words.
    static func hundredths(_ seconds: Double) -> String {
        guard seconds.isFinite, abs(seconds) < 1e9 else { return "–" }
        let all = Int((max(0, seconds) * 100).rounded())
        let rest = all % 6000
        return all < 6000
            ? fixed(Double(all) / 100, 2) : "\(all / 6000):\(rest < 1000 ? "0" : "")\(fixed(Double(rest) / 100, 2))"
    }

    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "–" }
        return String(format: "%.\(digits)f", value)
    }

    /// A weight: four digits after the point.
    static func weight(_ value: Float) -> String { fixed(Double(value), 4) }

    package static func percent(_ share: Double) -> String {
        guard share.isFinite, abs(share) < 1e9 else { return "–" }
        return share > 0 && share < 0.01 ? "<1 %" : "\(Int((share * 100).rounded())) %"
    }

    /// Right-aligned in `width` columns.
    static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
