import Foundation
import Synchronization
import Terminal

/// A session in a file: a first line that says what it is, then one line of JSON per event with its time in seconds.
enum SessionFile {
    static let version = 1
    static let kind = "fovea-session"
    /// The longest line and the longest file that are read.
    static let longestLine = 64 << 20
    static let largestFile = 2 << 30

    struct Header: Codable {
        var kind: String
        var version: Int
    }

    struct Line: Codable {
        var at: Double
        var event: RecordedEvent
    }
}

/// Why a session cannot be written or played.
package enum RecordingError: Error, Sendable, CustomStringConvertible {
    case cannotOpen(path: String, reason: String)
    case notASession(path: String)
    case version(path: String, found: Int)
    case tooLarge(path: String, limit: Int)
    case line(path: String, number: Int, reason: String)
    /// Numbers of an event that do not fit together; becomes `line` where the line is known.
    case invalid(String)

    package var description: String {
        switch self {
        case .cannotOpen(let path, let reason): "\(path): \(reason)"
        case .notASession(let path): "\(path) is not a recorded session; fovea record writes one"
        case .version(let path, let found):
            "\(path) was written by another fovea (format \(found), this one reads \(SessionFile.version)); record it anew"
        case .tooLarge(let path, let limit): "\(path) is larger than \(limit >> 20) MiB; record a shorter session"
        case .line(let path, let number, let reason):
            "\(path), line \(number): \(reason); the file is damaged, record it anew"
        case .invalid(let what): "invalid: \(what)"
        }
    }
}

/// Writes a session down while it goes on.
package final class SessionRecorder: Sendable {
    private let handle: FileHandle
    private let path: String
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private let ended = Mutex<RecordingError?>(nil)

    /// Why nothing more is written; nil while it is.
    package var failure: RecordingError? { ended.withLock { $0 } }

    /// - Throws: `RecordingError.cannotOpen`.
    package init(path: String) throws {
        self.path = path
        began = clock.now
        do {
            let header =
                try Self.encoder().encode(SessionFile.Header(kind: SessionFile.kind, version: SessionFile.version))
                + Data("\n".utf8)
            try header.write(to: URL(fileURLWithPath: path))
            handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
        } catch {
            throw RecordingError.cannotOpen(path: path, reason: error.localizedDescription)
        }
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// Adds an event. A full disk ends the recording, not the session: `failure` says so.
    func add(_ event: Event) {
        guard failure == nil, let recorded = RecordedEvent(event) else { return }
        do {
            let time = (began.duration(to: clock.now) / .seconds(1) * 1000).rounded() / 1000
            try handle.write(
                contentsOf: try Self.encoder().encode(SessionFile.Line(at: time, event: recorded)) + Data("\n".utf8))
        } catch {
            let reason = RecordingError.cannotOpen(path: path, reason: error.localizedDescription)
            ended.withLock { $0 = reason }
        }
    }

    deinit { try? handle.close() }
}

/// A recorded session, to be played again.
package struct RecordedSession: Sendable {
    struct Step: Sendable {
        /// Seconds from the beginning.
        var at: Double
        var event: Event
    }

    let steps: [Step]

    package var seconds: Double { steps.last?.at ?? 0 }
    package var count: Int { steps.count }

    /// - Throws: `RecordingError`, which names the line.
    package init(path: String) throws {
        let data: Data
        do { data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe) } catch {
            throw RecordingError.cannotOpen(path: path, reason: error.localizedDescription)
        }
        guard data.count <= SessionFile.largestFile else {
            throw RecordingError.tooLarge(path: path, limit: SessionFile.largestFile)
        }
        let decoder = JSONDecoder()
        var steps: [Step] = []
        var number = 0, start = data.startIndex
        while start < data.endIndex {
            let end = data[start...].firstIndex(of: 0x0A) ?? data.endIndex
            let line = data[start..<end]
            start = min(data.endIndex, end + 1)
            number += 1
            guard line.count <= SessionFile.longestLine else {
                throw RecordingError.line(
                    path: path, number: number, reason: "it is longer than \(SessionFile.longestLine >> 20) MiB")
            }
            if number == 1 {
                guard let header = try? decoder.decode(SessionFile.Header.self, from: line),
                    header.kind == SessionFile.kind
                else { throw RecordingError.notASession(path: path) }
                guard header.version == SessionFile.version else {
                    throw RecordingError.version(path: path, found: header.version)
                }
                continue
            }
            if line.isEmpty { continue }
            do {
                let read = try decoder.decode(SessionFile.Line.self, from: line)
                guard read.at.isFinite, read.at >= (steps.last?.at ?? 0) else {
                    throw RecordingError.invalid("time runs backwards")
                }
                steps.append(Step(at: read.at, event: try read.event.event()))
            } catch let error as RecordingError {
                throw RecordingError.line(path: path, number: number, reason: "\(error)")
            } catch {
                throw RecordingError.line(path: path, number: number, reason: "it is no event of a session")
            }
        }
        guard number > 0 else { throw RecordingError.notASession(path: path) }
        self.steps = steps
    }
}
