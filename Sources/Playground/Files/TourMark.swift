import Foundation
import PlaygroundCore

/// A mark in the data folder that the tour was shown.
enum TourMark {
    private static func mark(_ folder: String) -> String { (folder as NSString).appendingPathComponent("tour-shown") }

    static func wasShown(in folder: String) -> Bool { FileManager.default.fileExists(atPath: mark(folder)) }

    /// Without a writable folder the tour starts again next time; the store reports the folder.
    static func remember(in folder: String) {
        try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: mark(folder), contents: Data())
    }
}
