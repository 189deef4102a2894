/// How far a download has come.
package struct PullProgress: Sendable, Hashable {
    package enum Phase: String, Sendable, Hashable {
        /// Finding out what there is to fetch.
        case resolving
        case downloading
        case verifying
        case unpacking
        /// The model is in place; the last report.
        case installed
    }

    package let phase: Phase
    /// The file being worked on, for people.
    package let file: String
    /// Bytes that have arrived of the whole model, also from an earlier attempt.
    package let receivedBytes: Int
    /// Bytes there will be; `nil` while unknown.
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
