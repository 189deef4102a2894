import Foundation
import Support

/// The two streams of the program: data on standard output, words on standard error. Nothing is buffered, so that
/// streamed text appears as it comes.
enum Console {
    /// Data. The caller sanitizes untrusted text for the terminal; JSON and subtitles go out as they are.
    ///
    /// - Throws: `ProgramError.outputClosed` when the reader is gone, `.cannotWriteOutput` for a full disk.
    static func write(_ text: String) throws(ProgramError) {
        let code = writeAll(Array(text.utf8), to: STDOUT_FILENO)
        if code == EPIPE { throw .outputClosed }
        if code != 0 { throw .cannotWriteOutput(reason: String(cString: strerror(code))) }
    }

    static func writeLine(_ text: String = "") throws(ProgramError) { try write(text + "\n") }

    /// A line of words. Failures are ignored: there is nowhere left to report them.
    static func say(_ text: String) { _ = writeAll(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// Words without a line's end, for progress on a terminal.
    static func sayRaw(_ text: String) { _ = writeAll(Array(text.utf8), to: STDERR_FILENO) }

    static func warn(_ text: String) { say("fovea: warning: " + Sanitizer.stream.line(text)) }

    /// True if standard error is a terminal on which a line can be rewritten.
    static var hasLiveErrorStream: Bool {
        isatty(STDERR_FILENO) == 1 && (ProcessInfo.processInfo.environment["TERM"] ?? "dumb") != "dumb"
    }

    /// Width of the terminal on standard error; 80 when it cannot be told.
    static var errorStreamWidth: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// - Returns: 0, or the error number of the write that failed.
    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Foundation.write(descriptor, rest.baseAddress, rest.count)
                if count < 0 {
                    if errno == EINTR { continue }
                    if errno == EAGAIN {
                        // A shell may leave the terminal non-blocking.
                        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                        _ = poll(&waiting, 1, 1000)
                        continue
                    }
                    return errno
                }
                rest = rest.dropFirst(count)
            }
            return 0
        }
    }
}

private extension Slice where Base == UnsafeRawBufferPointer {
    var baseAddress: UnsafeRawPointer? { UnsafeRawBufferPointer(rebasing: self).baseAddress }
}
