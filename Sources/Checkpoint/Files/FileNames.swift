/// Rules for file names that come from a file or from the network.
package enum FileNames {
    /// True if `name` is a plain file name: no separators, no dot entries, no control characters.
    package static func isPlain(_ name: String) -> Bool {
        guard !name.isEmpty, name.utf8.count <= 255, !name.hasPrefix(".") else { return false }
        return name.unicodeScalars.allSatisfy {
            $0 != "/" && $0 != "\\" && $0 != ":" && $0.properties.generalCategory != .control
                && $0.properties.generalCategory != .format
        }
    }

    /// True for the names of whisper.cpp's models. Files of the Silero model, which detects speech, are none.
    package static func isWhisperCpp(_ name: String) -> Bool {
        name.hasPrefix("ggml-") && name.hasSuffix(".bin") && !name.hasPrefix("ggml-silero")
    }
}
