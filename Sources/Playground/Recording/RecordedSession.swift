import Foundation
import PlaygroundCore

/// A recorded session.
package struct RecordedSession: Sendable {
    struct Step: Sendable {
        /// Seconds from the beginning.
        var at: Double
        var event: Event
    }

    let steps: [Step]

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
        var number = 0, start = data.startIndex, version = SessionFile.version
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
                guard (1...SessionFile.version).contains(header.version) else {
                    throw RecordingError.version(path: path, found: header.version)
                }
                version = header.version
                continue
            }
            if line.isEmpty { continue }
            do {
                let current = version == 1 ? try SessionMigration.version2(from: line) : line
                let read = try decoder.decode(SessionFile.Line.self, from: current)
                guard (0...SessionFile.longestTime).contains(read.at), read.at >= (steps.last?.at ?? 0) else {
                    throw RecordingError.invalid("times must not decrease")
                }
                try read.event.check()
                steps.append(Step(at: read.at, event: read.event))
            } catch let error as RecordingError {
                throw RecordingError.line(path: path, number: number, reason: "\(error)")
            } catch DecodingError.dataCorrupted(let problem) where !problem.codingPath.isEmpty {
                throw RecordingError.line(path: path, number: number, reason: "invalid: \(problem.debugDescription)")
            } catch {
                throw RecordingError.line(path: path, number: number, reason: "it is no event of a session")
            }
        }
        guard number > 0 else { throw RecordingError.notASession(path: path) }
        self.steps = steps
    }
}
