import Support
import Foundation
import PlaygroundCore
import Synchronization

/// Records a session while it runs.
package final class SessionRecorder: Sendable {
    private let handle: FileHandle
    private let path: String
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private let ended = Mutex<RecordingError?>(nil)

    /// The reason recording ended; nil while it continues.
    package var failure: RecordingError? { ended.withLock { $0 } }

    /// - Throws: `RecordingError.cannotOpen`.
    package init(path: String) throws {
        self.path = path
        began = clock.now
        do {
            let header =
                try Self.encoder().encode(
                    SessionFile.Header(
                        kind: SessionFile.kind, version: SessionFile.version, fovea: Version.current))
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

    /// Writes an event. A full disk ends the recording (see `failure`), not the session.
    func add(_ event: Event) {
        guard failure == nil, let recorded = event.recorded else { return }
        do {
            #if DEBUG
                if case .error(let code) = FaultPlan.current.next(.write) {
                    throw NSError(domain: NSPOSIXErrorDomain, code: Int(code))
                }
            #endif
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
