import Foundation
import PlaygroundCore

/// Completion of paths from the disk.
enum PathCompletion {
    /// The paths that begin with `prefix`; folders end in `/`.
    static func paths(_ prefix: String, _ purpose: PathPurpose) -> [String] {
        let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
        let start = String(prefix.dropFirst(folder.count))
        let place = folder.isEmpty ? "." : folder.expandingTilde
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: place) else { return [] }
        return names.sorted().compactMap { name in
            guard name.hasPrefix(start), start.hasPrefix(".") || !name.hasPrefix(".") else { return nil }
            var isFolder: ObjCBool = false
            guard
                FileManager.default.fileExists(
                    atPath: (place as NSString).appendingPathComponent(name), isDirectory: &isFolder)
            else { return nil }
            if isFolder.boolValue { return folder + name + "/" }
            return purpose.fits(name) ? folder + name : nil
        }
    }
}

extension String {
    /// The path with a leading `~` replaced by the home folder.
    var expandingTilde: String { (self as NSString).expandingTildeInPath }
}
