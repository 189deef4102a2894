import Foundation
import Logging
import Support

/// The engine's log on standard error. `FOVEA_LOG=debug` (or `trace`, `info`) shows more than warnings.
enum Logs {
    /// - Parameter isQuiet: logs nothing: a line on standard error would land in the middle of the playground's screen.
    static func start(isQuiet: Bool) {
        let level = ProcessInfo.processInfo.environment["FOVEA_LOG"].flatMap(Logger.Level.init(rawValue:)) ?? .warning
        LoggingSystem.bootstrap { _ in
            if isQuiet { return SwiftLogNoOpLogHandler() }
            return ConsoleLogHandler(logLevel: level)
        }
    }
}

private struct ConsoleLogHandler: LogHandler {
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        Console.say("fovea: \(event.level.rawValue): " + Sanitizer.stream.line("\(event.message)"))
    }
}
