import Support

/// Errors of sound and picture files, processors and microphones.
package enum MediaError: Error, Sendable, Equatable {
    // Files
    case fileNotFound(path: String)
    case isDirectory(path: String)
    case notPermitted(path: String)
    case notRegularFile(path: String)
    case emptyFile(path: String)
    case unreadable(path: String, reason: String)
    case fileTooLarge(path: String, bytes: Int64, limit: Int64)

    /// A file of a kind that is known and not read.
    case foreign(path: String, ForeignMedia)

    // Audio
    case notAudio(path: String, reason: String)
    case damagedAudio(path: String, reason: String)
    /// `expected` and `actual` are in `unit` ("bytes of samples", "frames").
    case truncatedAudio(path: String, expected: Int64, actual: Int64, unit: String)
    /// A header field out of range, such as a sample rate of 1 Hz.
    case unsupportedAudio(path: String, property: String, value: Int64, supported: ClosedRange<Int64>)
    case noAudioFrames(path: String)
    case nonFiniteSample(path: String, frame: Int64)
    case recordingTooLong(path: String, seconds: Double, limit: Double)
    case noCaptureDevice(device: String, reason: String)
    case captureFailed(device: String, operation: String, reason: String)

    // Pictures
    case notAnImage(path: String)
    case damagedImage(path: String, format: String, reason: String)
    case truncatedImage(path: String, format: String)
    case unsupportedImage(path: String, format: String, reason: String)
    case imageTooLarge(path: String, width: Int, height: Int, limit: Int)

    // Configuration
    case invalidParameter(name: String, value: String, expected: String)
}

extension MediaError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .fileNotFound(let path):
            "\(quoted(path)): no such file. Check the path."
        case .isDirectory(let path):
            "\(quoted(path)) is a folder. Name a file in it."
        case .notPermitted(let path):
            "\(quoted(path)): no permission to read it. Change its permissions or copy it."
        case .notRegularFile(let path):
            "\(quoted(path)) is a device, pipe or socket. Save its content to a file first."
        case .emptyFile(let path):
            "\(quoted(path)) is empty (0 bytes)."
        case .unreadable(let path, let reason):
            "\(quoted(path)) cannot be read: \(printable(reason))."
        case .fileTooLarge(let path, let bytes, let limit):
            "\(quoted(path)) has \(bytes) bytes; at most \(limit) are read."
        case .foreign(let path, let kind):
            "\(quoted(path)) is \(kind)."
        case .notAudio(let path, let reason):
            "\(quoted(path)) is not a recording in a known format (\(printable(reason))). WAV, FLAC, Ogg, MP3 and AIFF are read."
        case .damagedAudio(let path, let reason):
            "\(quoted(path)): damaged recording (\(printable(reason))). Convert or record it again."
        case .truncatedAudio(let path, let expected, let actual, let unit):
            "\(quoted(path)): the recording is cut off: its header states \(expected) \(unit), the file has \(actual). Copy it again, or accept the existing part."
        case .unsupportedAudio(let path, let property, let value, let supported):
            "\(quoted(path)): \(property) is \(value); \(supported.lowerBound) to \(supported.upperBound) is supported. The header may be damaged."
        case .noAudioFrames(let path):
            "\(quoted(path)) has a valid header and no samples."
        case .nonFiniteSample(let path, let frame):
            "\(quoted(path)): sample \(frame) is not a number or infinite. The file is damaged or was exported wrongly; convert it to 16-bit."
        case .recordingTooLong(let path, let seconds, let limit):
            "\(quoted(path)) lasts \(wholeSeconds(seconds)); at most \(wholeSeconds(limit)) are read at once. Cut it."
        case .noCaptureDevice(let device, let reason):
            "There is no microphone: \(quoted(device)) cannot be opened for recording (\(printable(reason))). Connect one, or attach a recording."
        case .captureFailed(let device, let operation, let reason):
            "Microphone \(quoted(device)): \(operation) failed (\(printable(reason)))."
        case .notAnImage(let path):
            "\(quoted(path)) is not a picture in a known format. JPEG, PNG, WebP and GIF are read."
        case .damagedImage(let path, let format, let reason):
            "\(quoted(path)): damaged \(format) (\(printable(reason)))."
        case .truncatedImage(let path, let format):
            "\(quoted(path)): the \(format) ends too early. Copy or download it again."
        case .unsupportedImage(let path, let format, let reason):
            "\(quoted(path)): this kind of \(format) is not supported (\(printable(reason))). Convert it."
        case .imageTooLarge(let path, let width, let height, let limit):
            "\(quoted(path)) is \(width)×\(height); at most \(limit) pixels are decoded. Make it smaller."
        case .invalidParameter(let name, let value, let expected):
            "\(printable(name)) is \(printable(value)); expected \(expected)."
        }
    }
}

/// Untrusted text (file names, messages of libraries), safe for a terminal.
private func printable(_ text: String) -> String { Sanitizer.stream.line(text) }

private func quoted(_ path: String) -> String { "“\(printable(path))”" }

private func wholeSeconds(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds >= 0, seconds < 1e12 else { return "an absurd time" }
    let whole = Int(seconds.rounded())
    return whole < 120 ? "\(whole) s" : "\(whole / 60) min \(whole % 60) s"
}
