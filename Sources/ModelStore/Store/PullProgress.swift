/// Progress of a download.
package struct PullProgress: Sendable, Hashable, Codable {
    package enum Phase: String, Sendable, Hashable, Codable {
        /// Listing the files to fetch.
        case resolving
        case downloading
        case verifying
        case unpacking
        /// The model is in place; the last report.
        case installed
    }

    package let phase: Phase
    /// The current file, for display.
    package let file: String
    /// Bytes received of the whole model, including earlier attempts.
    package let receivedBytes: Int
    /// Bytes in total; `nil` while unknown.
    package let totalBytes: Int?

    package init(phase: Phase, file: String, receivedBytes: Int, totalBytes: Int?) {
        self.phase = phase
        self.file = file
        self.receivedBytes = receivedBytes
        self.totalBytes = totalBytes
    }

    /// 0 to 1; `nil` while the total is unknown.
    package var fraction: Double? {
        guard let totalBytes, totalBytes > 0 else { return nil }
        return min(1, Double(receivedBytes) / Double(totalBytes))
    }
}
