import Foundation

/// A parser of untrusted input, as the fuzzer and the tests call it.
struct FuzzParser: Sendable {
    let name: String
    /// The structure that mutations keep intact, so that they get past lengths and checksums.
    var form = InputForm.bytes
    /// Folders of seeds besides the parser's own, from the top of the repository.
    var otherSeeds: [String] = []
    /// Reads one input as the product does. Throws an error where the product refuses it.
    let read: @Sendable ([UInt8]) throws -> Void

    /// Reads one input, and makes the message if it is refused.
    /// - Returns: true if the input is accepted.
    func accepts(_ input: [UInt8]) -> Bool {
        do {
            try read(input)
            return true
        } catch {
            // Messages quote the input, so they are tested too.
            return "\(error)".isEmpty
        }
    }
}

extension FuzzParser {
    /// All parsers of this build. Each has folders of its own, which exist as long as it does.
    static var all: [FuzzParser] {
        #if FOVEA_FUZZ_FILES
            files
        #else
            files + program
        #endif
    }

    /// Parsers of modules that need neither the device nor the screen: the small build.
    private static var files: [FuzzParser] { checkpoints + texts + media }
}

/// A folder for the files of one parser: in `TMPDIR` where that is set, else in memory if it can be.
final class ScratchFolder: Sendable {
    let path: String

    init() {
        let isFree = ProcessInfo.processInfo.environment["TMPDIR"] == nil && access("/dev/shm", W_OK) == 0
        path = (isFree ? "/dev/shm/" : NSTemporaryDirectory()) + "fovea-fuzz-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and returns its path.
    func write(_ bytes: [UInt8], to name: String) throws -> String {
        let file = path + "/" + name
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
            rest = rest.dropFirst(count)
        }
        return file
    }
}
