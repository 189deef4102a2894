/// How far a download has come.
public struct PullProgress: Sendable, Hashable {
    public enum Phase: String, Sendable, Hashable {
        /// Finding out what there is to fetch.
        case resolving
        case downloading
        case verifying
        case unpacking
        /// The model is in place; the last report.
        case installed
    }

    public let phase: Phase
    /// The file being worked on, for people.
    public let file: String
    /// Bytes that have arrived of the whole model, also from an earlier attempt.
    public let receivedBytes: Int
    /// Bytes there will be; `nil` while unknown.
    public let totalBytes: Int?

    public init(phase: Phase, file: String, receivedBytes: Int, totalBytes: Int?) {
        self.phase = phase
        self.file = file
        self.receivedBytes = receivedBytes
        self.totalBytes = totalBytes
    }

    /// 0 to 1; `nil` while the total is unknown.
    public var fraction: Double? {
        guard let totalBytes, totalBytes > 0 else { return nil }
        return min(1, Double(receivedBytes) / Double(totalBytes))
    }
}
