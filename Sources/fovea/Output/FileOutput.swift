import Foundation

/// A whole file written in one step: it is either as it was or complete.
enum FileOutput {
    /// Asks before the work rather than after it whether the result can be written.
    static func check(_ path: String) throws(ProgramError) {
        let folder = (path as NSString).deletingLastPathComponent
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw .cannotWriteFile(path: path, reason: "it is a folder")
        }
        if access(folder.isEmpty ? "." : folder, W_OK | X_OK) != 0 {
            throw .cannotWriteFile(path: path, reason: String(cString: strerror(errno)))
        }
    }

    static func write(_ text: String, to path: String) throws(ProgramError) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw .cannotWriteFile(path: path, reason: ErrorText.line(error))
        }
    }
}
