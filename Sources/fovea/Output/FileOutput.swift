import Foundation
import Support

/// A whole file written in one step: it is either as it was or complete. Devices and FIFOs are written to.
enum FileOutput {
    /// Checks before the work that the result can be written.
    static func check(_ path: String) throws(ProgramError) {
        let target = OutputPath(path)
        let place: String
        switch target {
        case .folder: throw .cannotWriteFile(path: path, reason: "it is a folder")
        case .stream(let path): place = path
        case .file(let path): place = (path as NSString).deletingLastPathComponent
        }
        let mode = if case .stream = target { W_OK } else { W_OK | X_OK }
        if access(place.isEmpty ? "." : place, mode) != 0 {
            throw .cannotWriteFile(path: path, reason: String(cString: strerror(errno)))
        }
    }

    static func write(_ text: String, to path: String) throws(ProgramError) {
        do {
            try OutputPath(path).write(Data(text.utf8))
        } catch {
            throw .cannotWriteFile(path: path, reason: ErrorText.line(error))
        }
    }
}
