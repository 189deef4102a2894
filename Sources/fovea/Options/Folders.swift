import Checkpoint
import Foundation
import Support

/// The environment and the folder of the pipeline cache.
enum Folders {
    static var environment: [String: String] { ProcessInfo.processInfo.environment }

    /// The folder of the pipeline cache, made if need be; `nil`, with a warning, when it cannot be written.
    static func writableCache() -> URL? {
        let path = BaseDirectories().cache
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
