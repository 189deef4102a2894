import Foundation

/// Pictures and sound that requests hold themselves, as files while they are read.
final class InputScratch {
    private let folder: String
    private var files: [String] = []

    private static let largestFile = 256 << 20

    /// - Parameter folder: exists.
    init(folder: String) { self.folder = folder }

    deinit { clear() }

    /// The path of a file that a row names, or of one that holds a row's `data:` address.
    /// - Parameter base: folder that relative paths start from; nil for requests that may not name files.
    func path(_ text: String, folder base: String?) throws -> String {
        guard text.hasPrefix("data:") else {
            guard let base else {
                throw ProgramError.cannotReadFile(
                    path: String(text.prefix(40)), reason: "send it as data:TYPE;base64,… in the request")
            }
            if text.hasPrefix("http://") || text.hasPrefix("https://") {
                throw ProgramError.cannotReadFile(
                    path: text, reason: "addresses are not fetched; download the file and give its path")
            }
            let expanded = (text as NSString).expandingTildeInPath
            return expanded.hasPrefix("/") ? expanded : base + "/" + expanded
        }
        guard let comma = text.firstIndex(of: ","), text[..<comma].hasSuffix(";base64") else {
            throw ProgramError.cannotReadFile(path: String(text.prefix(40)), reason: "not a data address in base64")
        }
        return try path(base64: text[text.index(after: comma)...])
    }

    /// The path of a file that holds these bytes.
    func path(base64 text: Substring) throws -> String {
        guard text.utf8.count <= Self.largestFile, let data = Data(base64Encoded: String(text)) else {
            throw ProgramError.cannotReadFile(
                path: String(text.prefix(40)), reason: "not base64, or more than 256 MiB")
        }
        return try path(bytes: data)
    }

    /// The path of a file that holds these bytes.
    func path(bytes data: Data) throws -> String {
        let path = folder + "/input-\(files.count)"
        try data.write(to: URL(filePath: path))
        files.append(path)
        return path
    }

    func clear() {
        for file in files { unlink(file) }
        files = []
    }
}
