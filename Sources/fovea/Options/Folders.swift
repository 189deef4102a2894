import Checkpoint
import Foundation

/// Where files live, by the XDG base directory specification. Relative values of its variables are to be ignored.
enum Folders {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// Compiled pipelines and other things that can be made again.
    static var cache: String { folder("XDG_CACHE_HOME", fallback: ".cache") }

    private static func folder(_ variable: String, fallback: String) -> String {
        let home = environment["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? NSHomeDirectory()
        let base = environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? home + "/" + fallback
        return base + "/fovea"
    }

    /// The folder of the pipeline cache, made if need be; `nil`, with a warning, when it cannot be written.
    static func writableCache() -> URL? {
        let path = cache
        var reason: String?
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            if access(path, W_OK) != 0 { reason = String(cString: strerror(errno)) }
        } catch {
            reason = ErrorText.line(error)
        }
        guard let reason else { return URL(filePath: path) }
        Console.warn(
            "the cache folder \(path) cannot be written (\(reason)): shaders will be compiled again at every start. Make it writable or set XDG_CACHE_HOME."
        )
        return nil
    }
}
