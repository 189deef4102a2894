import PlaygroundCore

/// The format of a session file: a header line, then one line of JSON per event with its time in seconds.
enum SessionFile {
    static let version = 2
    static let kind = "fovea-session"
    /// The largest time of an event, in seconds.
    static let longestTime = 1e7
    /// Limits of a line and of a file.
    static let longestLine = 64 << 20
    static let largestFile = 2 << 30

    struct Header: Codable {
        var kind: String
        /// Version of the format.
        var version: Int
        /// Version of the program that wrote the file.
        var fovea: String?
    }

    struct Line: Codable {
        var at: Double
        var event: Event
    }
}

/// Errors of recording and replaying.
package enum RecordingError: Error, Sendable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    case notASession(path: String)
    case version(path: String, found: Int)
    case tooLarge(path: String, limit: Int)
    case line(path: String, number: Int, reason: String)
    /// An event with invalid numbers; becomes `line` where the line is known.
    case invalid(String)

    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path): \(reason)"
        case .notASession(let path): "\(path) is not a recorded session; fovea record writes one"
        case .version(let path, let found):
            "\(path) was written by another fovea (format \(found), this one reads \(SessionFile.version)); record it again"
        case .tooLarge(let path, let limit): "\(path) is larger than \(limit >> 20) MiB; record a shorter session"
        case .line(let path, let number, let reason):
            "\(path), line \(number): \(reason); the file is damaged, record it again"
        case .invalid(let what): "invalid: \(what)"
        }
    }
}
