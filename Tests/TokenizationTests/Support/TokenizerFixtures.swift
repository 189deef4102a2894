import Foundation
import TestSupport

@testable import Tokenization

extension Fixtures {
    /// Model folders (relative to `models`) that hold the given file.
    static func folders(with file: String) -> [String] {
        func list(_ url: URL) -> [String] { (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? [] }
        let all = list(models) + list(models.appending(path: "tokenizers")).map { "tokenizers/\($0)" }
        return all.filter { contains("\($0)/\(file)") }.sorted()
    }

    static func json<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(contentsOf: model(path)))
    }
}

extension Tokenizer {
    /// Number of distinct token ids.
    var vocabularySize: Int {
        model.vocabulary.count + addedTokens.tokens.reduce(0) { $0 + (model.vocabulary.piece($1.id) == nil ? 1 : 0) }
    }
}
