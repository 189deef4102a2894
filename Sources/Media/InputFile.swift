import Support

/// An open regular file that is not empty. Each other kind of path has its own error.
struct InputFile: ~Copyable {
    let path: String
    private let file: RegularFile
    var descriptor: Int32 { file.descriptor }
    var byteCount: Int64 { Int64(file.byteCount) }

    /// - Throws: `fileNotFound`, `isDirectory`, `notPermitted`, `notRegularFile`, `emptyFile`, `unreadable`.
    init(path: String) throws(MediaError) {
        file = try Self.opened(path)
        self.path = path
    }

    private static func opened(_ path: String) throws(MediaError) -> RegularFile {
        do throws(RegularFile.Problem) {
            let file = try RegularFile(path: path)
            if file.byteCount > 0 { return file }
        } catch {
            throw MediaError(error, path: path)
        }
        throw .emptyFile(path: path)
    }

    /// Up to `count` bytes from `offset`; fewer at the end of the file.
    func bytes(at offset: Int64, count: Int) throws(MediaError) -> [UInt8] {
        do {
            return try file.bytes(at: Int(offset), count: count)
        } catch {
            throw MediaError(error, path: path)
        }
    }

    /// The whole content.
    /// - Throws: `fileTooLarge` when there are more than `limit` bytes.
    func contents(limit: Int64) throws(MediaError) -> [UInt8] {
        do {
            return try file.contents(limit: Int(limit))
        } catch {
            throw MediaError(error, path: path)
        }
    }
}

extension MediaError {
    init(_ problem: RegularFile.Problem, path: String) {
        self =
            switch problem {
            case .absent: .fileNotFound(path: path)
            case .folder: .isDirectory(path: path)
            case .notPermitted: .notPermitted(path: path)
            case .special: .notRegularFile(path: path)
            case .tooLarge(let byteCount, let limit):
                .fileTooLarge(path: path, bytes: Int64(byteCount), limit: Int64(limit))
            case .lfsPointer, .system: .unreadable(path: path, reason: problem.description)
            }
    }
}
