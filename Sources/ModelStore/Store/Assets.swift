import Foundation

/// Files that come with the program. `FOVEA_ASSETS` names their only folder; otherwise they are beside the executable, as
/// installed, or in the checkout of the build.
package enum Assets {
    /// The path of a bundled file or folder; `nil` if there is none.
    package static func path(_ relative: String) -> String? {
        folders.map { $0.appending(path: relative).path }.first { FileManager.default.fileExists(atPath: $0) }
    }

    /// Names in a bundled folder, sorted.
    package static func names(in relative: String) -> [String] {
        guard let folder = path(relative) else { return [] }
        return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    private static let folders: [URL] = {
        if let named = ProcessInfo.processInfo.environment["FOVEA_ASSETS"], !named.isEmpty {
            return [URL(filePath: named)]
        }
        var result: [URL] = []
        guard var folder = Bundle.main.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent() else {
            return result
        }
        result.append(folder.appending(path: "assets"))
        result.append(folder.deletingLastPathComponent().appending(path: "share/fovea"))
        // .build/<platform>/<configuration>/fovea
        for _ in 0..<4 {
            folder = folder.deletingLastPathComponent()
            if FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
                result.append(folder.appending(path: "assets"))
            }
        }
        return result
    }()
}
