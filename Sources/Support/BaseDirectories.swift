import Foundation

/// Fovea's folders by the XDG base directory specification, which says to ignore relative paths in its variables.
package struct BaseDirectories: Sendable, Hashable {
    /// Models and conversations: `$XDG_DATA_HOME/fovea`, by default `~/.local/share/fovea`.
    package let data: String
    /// Compiled pipelines and other files that can be made again: `$XDG_CACHE_HOME/fovea`, by default `~/.cache/fovea`.
    package let cache: String
    /// Home of the user.
    package let home: String
    /// Folder of all programs' caches: `$XDG_CACHE_HOME`, by default `~/.cache`.
    package let caches: String

    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        func absolute(_ variable: String) -> String? {
            environment[variable].flatMap { $0.hasPrefix("/") ? $0 : nil }
        }
        home = absolute("HOME") ?? NSHomeDirectory()
        caches = absolute("XDG_CACHE_HOME") ?? home + "/.cache"
        data = (absolute("XDG_DATA_HOME") ?? home + "/.local/share") + "/fovea"
        cache = caches + "/fovea"
    }
}
