import Foundation

/// Fields of a `multipart/form-data` body (RFC 7578).
package struct MultipartForm: Sendable {
    package struct Part: Sendable {
        package let name: String
        package let fileName: String?
        package let bytes: ArraySlice<UInt8>
    }

    package let parts: [Part]

    private static let mostParts = 64

    /// - Throws: `ServerError` 400 for a body that is not such a form.
    package init(_ body: [UInt8], contentType: String?) throws(ServerError) {
        guard let contentType, contentType.lowercased().hasPrefix("multipart/form-data"),
            let boundary = Self.parameter("boundary", of: contentType), (1...70).contains(boundary.utf8.count)
        else { throw ServerError(400, "the body should be multipart/form-data with a boundary") }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        var parts: [Part] = []
        // The first delimiter has no line before it.
        guard body.starts(with: delimiter.dropFirst(2)) else { throw Self.damaged }
        var position = delimiter.count - 2
        while true {
            let mark = body[position...].prefix(2)
            if mark.elementsEqual("--".utf8) { break }
            guard mark.elementsEqual("\r\n".utf8), parts.count < Self.mostParts,
                let headEnd = Self.find(Array("\r\n\r\n".utf8), in: body, from: position),
                let end = Self.find(delimiter, in: body, from: headEnd + 2)
            else { throw Self.damaged }
            let start = headEnd + 4
            let head = String(decoding: body[position..<headEnd], as: UTF8.self)
            guard start <= end || start == end + 2,
                let line = head.split(separator: "\r\n").first(where: {
                    $0.lowercased().hasPrefix("content-disposition:")
                }), let name = Self.parameter("name", of: String(line))
            else { throw Self.damaged }
            parts.append(
                Part(
                    name: name, fileName: Self.parameter("filename", of: String(line)),
                    bytes: body[min(start, end)..<end]))
            position = end + delimiter.count
        }
        self.parts = parts
    }

    private static let damaged = ServerError(400, "the form is damaged or cut off")

    package func bytes(_ name: String) -> ArraySlice<UInt8>? { parts.first { $0.name == name }?.bytes }

    package func text(_ name: String) -> String? { bytes(name).map { String(decoding: $0, as: UTF8.self) } }

    package func texts(_ name: String) -> [String] {
        parts.filter { $0.name == name }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    /// `name="value"` or `name=value` behind a semicolon.
    private static func parameter(_ name: String, of header: String) -> String? {
        for part in header.split(separator: ";").dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2, pair[0].trimmingCharacters(in: .whitespaces).lowercased() == name else { continue }
            return pair[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\r\n\""))
        }
        return nil
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard let first = pattern.first else { return nil }
        return bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return nil }
            var position = start
            // `memchr` reads many bytes at once: recordings are long.
            while position + pattern.count <= buffer.count,
                let found = memchr(base + position, Int32(first), buffer.count - pattern.count + 1 - position)
            {
                position = UnsafeRawPointer(found) - base
                if memcmp(found, pattern, pattern.count) == 0 { return position }
                position += 1
            }
            return nil
        }
    }
}
