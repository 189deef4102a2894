import Foundation

/// The content of a pipe, a FIFO or standard input, kept in a temporary file while it is read.
final class StreamedFile {
    let path: String

    /// Largest content that is taken.
    private static let limit = 4 << 30

    /// - Parameter argument: a path as given on the command line, `-` for standard input.
    /// - Returns: nil for a path to anything that can be read as a file.
    /// - Throws: `ProgramError.cannotReadFile` for unreadable or endless content.
    init?(_ argument: String) throws {
        let source = argument == "-" ? "/dev/stdin" : argument
        var status = stat()
        guard stat(source, &status) == 0 else { return nil }
        let kind = status.st_mode & S_IFMT
        // A shell's `< file` is a regular file, but its place in the file may be anywhere.
        guard kind == S_IFIFO || kind == S_IFSOCK || kind == S_IFCHR || argument == "-" else { return nil }
        if kind == S_IFCHR, argument == "-", isatty(STDIN_FILENO) != 0 {
            throw ProgramError.cannotReadFile(path: "standard input", reason: "it is a terminal; use a pipe or a file")
        }
        let name = argument == "-" ? "standard input" : argument
        guard let input = FileHandle(forReadingAtPath: source) else {
            throw ProgramError.cannotReadFile(path: name, reason: String(cString: strerror(errno)))
        }
        path = FileManager.default.temporaryDirectory.appending(path: "fovea-\(UUID().uuidString)").path
        guard FileManager.default.createFile(atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let output = FileHandle(forWritingAtPath: path)
        else { throw ProgramError.cannotWriteFile(path: path, reason: String(cString: strerror(errno))) }
        var count = 0
        while let part = try input.read(upToCount: 1 << 20), !part.isEmpty {
            try Task.checkCancellation()
            count += part.count
            guard count <= Self.limit else {
                throw ProgramError.cannotReadFile(path: name, reason: "it is longer than 4 GiB")
            }
            try output.write(contentsOf: part)
        }
        try output.close()
    }

    deinit { unlink(path) }
}
