import Foundation
import Support

/// Errors as one line of text.
enum ErrorText {
    static func line(_ error: any Error) -> String { Sanitizer.stream.line(words(error)) }

    private static func words(_ error: any Error) -> String {
        // Foundation's errors describe themselves as dumps; their localized text is readable.
        if error is CocoaError || error is URLError || error is POSIXError || type(of: error) == NSError.self {
            return error.localizedDescription
        }
        if error is CancellationError { return "stopped" }
        if error is EncodingError { return "the computation produced a number that JSON cannot hold" }
        if let localized = error as? any LocalizedError, let text = localized.errorDescription { return text }
        // Asked of the type: the value itself always converts, by way of Foundation's error, whose text is a dump.
        if type(of: error) is any CustomStringConvertible.Type { return "\(error)" }
        return error.localizedDescription
    }
}
