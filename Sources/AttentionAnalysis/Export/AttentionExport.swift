import AttentionTypes
import Foundation

/// Writes recorded attention to files.
package enum AttentionExport {
    /// One layer's attention of all tokens as `.npy`, `[tokens, heads, keys]`; rows shorter than the longest
    /// (self-attention grows) are filled up with 0. A token takes its last row.
    ///
    /// - Parameters:
    ///   - tokens: which tokens; nil is all that are left.
    ///   - url: replaced when it exists.
    /// - Throws: ``AttentionAnalysisError`` when a token was dropped, lacks the layer, or writing fails.
    package static func writeNumPy(
        _ record: AttentionRecord, kind: AttentionKind, layer: Int, tokens: Range<Int>? = nil, to url: URL
    ) throws {
        let range = tokens ?? kept(record)
        // Two passes, so that no more than one token is in memory: sizes first.
        var heads = 0, keys = 0
        for token in range {
            let weights = try find(record, token, kind, layer)
            guard heads == 0 || weights.heads == heads else {
                throw AttentionAnalysisError.shapeMismatch(
                    operation: "export, token \(token)", expected: "\(heads) heads", actual: "\(weights.heads)")
            }
            heads = weights.heads
            keys = Swift.max(keys, weights.keys)
        }
        try write(to: url) { handle in
            try handle.write(contentsOf: NumPyArray.header(shape: [range.count, heads, keys]))
            for token in range {
                let weights = try find(record, token, kind, layer)
                var data = Data()
                for head in 0..<heads {
                    NumPyArray.append(weights.row(head: head, query: weights.queries - 1), to: &data)
                    NumPyArray.append(repeatElement(0, count: keys - weights.keys), to: &data)
                }
                try handle.write(contentsOf: data)
            }
        }
    }

    /// All recorded layers of all tokens as JSON: an object with `tokens`, each with `index`, `text` and `layers`; a layer has
    /// `kind`, `layer`, `heads`, `queries`, `keys` and `weights` `[heads][queries][keys]`.
    ///
    /// - Parameter texts: the tokens' texts by index, untrusted; missing ones are left out.
    /// - Throws: as ``writeNumPy(_:kind:layer:tokens:to:)``.
    package static func writeJSON(
        _ record: AttentionRecord, texts: [String] = [], tokens: Range<Int>? = nil, to url: URL
    ) throws {
        let range = tokens ?? kept(record)
        try write(to: url) { handle in
            try handle.write(contentsOf: Data("{\"tokens\":[".utf8))
            for token in range {
                var text = token == range.lowerBound ? "\n{\"index\":\(token)" : ",\n{\"index\":\(token)"
                if texts.indices.contains(token) { text += ",\"text\":\(quoted(texts[token]))" }
                let layers = try record.attention(ofToken: token).map(json)
                text += ",\"layers\":[\(layers.joined(separator: ","))]}"
                try handle.write(contentsOf: Data(text.utf8))
            }
            try handle.write(contentsOf: Data("\n]}\n".utf8))
        }
    }

    private static func kept(_ record: AttentionRecord) -> Range<Int> {
        let statistics = record.statistics
        return statistics.dropped..<statistics.tokens
    }

    private static func find(_ record: AttentionRecord, _ token: Int, _ kind: AttentionKind, _ layer: Int) throws
        -> AttentionWeights
    {
        let all = try record.attention(ofToken: token)
        guard let weights = all.first(where: { $0.kind == kind && $0.layer == layer && $0.queries > 0 }) else {
            throw AttentionAnalysisError.nothingSelected(
                selection: "\(kind.rawValue) layer \(layer) of token \(token)",
                available: all.map { "\($0.kind.rawValue) \($0.layer)" }.joined(separator: ", "))
        }
        return weights
    }

    private static func json(_ weights: AttentionWeights) -> String {
        let heads = (0..<weights.heads).map { head in
            let rows = (0..<weights.queries).map { query in
                "["
                    + weights.row(head: head, query: query).map { $0.isFinite ? "\($0)" : "null" }.joined(
                        separator: ",") + "]"
            }
            return "[" + rows.joined(separator: ",") + "]"
        }
        return
            "{\"kind\":\"\(weights.kind.rawValue)\",\"layer\":\(weights.layer),\"heads\":\(weights.heads),\"queries\":\(weights.queries),"
            + "\"keys\":\(weights.keys),\"weights\":[\(heads.joined(separator: ","))]}"
    }

    /// A JSON string literal.
    static func quoted(_ text: String) -> String {
        var literal = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": literal += "\\\""
            case "\\": literal += "\\\\"
            case _
            where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) || scalar.value == 0x2028
                || scalar.value == 0x2029:
                let hex = String(scalar.value, radix: 16)
                literal += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: literal.unicodeScalars.append(scalar)
            }
        }
        return literal + "\""
    }

    /// Writes beside the target first, so that a failure leaves no half a file under its name.
    private static func write(to url: URL, _ body: (FileHandle) throws -> Void) throws {
        let part = url.appendingPathExtension("part")
        do {
            try Data().write(to: part)
            let handle = try FileHandle(forWritingTo: part)
            try body(handle)
            try handle.close()
            guard rename(part.path, url.path) == 0 else {
                throw AttentionAnalysisError.storage(
                    operation: "export", path: url.path, reason: String(cString: strerror(errno)))
            }
        } catch {
            try? FileManager.default.removeItem(at: part)
            if let known = error as? AttentionAnalysisError { throw known }
            throw AttentionAnalysisError.storage(
                operation: "export", path: url.path, reason: (error as NSError).localizedDescription)
        }
    }
}
