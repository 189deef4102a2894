import JSON

/// Special tokens around the ids of a text (tokenizer.json `post_processor`).
protocol PostProcessor: Sendable {
    func process(_ ids: [Int]) -> [Int]
}

/// Fixed tokens before and after the text.
struct SurroundingPostProcessor: PostProcessor {
    var before: [Int] = []
    var after: [Int] = []
    func process(_ ids: [Int]) -> [Int] { before + ids + after }
}

/// Post-processors in sequence.
struct SequencePostProcessor: PostProcessor {
    let steps: [any PostProcessor]
    func process(_ ids: [Int]) -> [Int] { steps.reduce(ids) { $1.process($0) } }
}

/// Factories of post-processors by the "type" in tokenizer.json.
enum PostProcessorRegistry {
    static func make(_ field: JSONReader, depth: Int = 0) throws -> any PostProcessor {
        try ComponentRegistry.make(field, from: makers, depth: depth)
    }

    private static let makers: [String: ComponentRegistry.Maker<any PostProcessor>] = [
        "Sequence": { field, depth in
            SequencePostProcessor(
                steps: try field.member("processors").elements().map {
                    try make($0, depth: depth + 1)
                })
        },
        // This type changes character offsets only.
        "ByteLevel": { _, _ in SurroundingPostProcessor() },
        "TemplateProcessing": { field, _ in try template(field) },
        "BertProcessing": { field, _ in try classified(field) },
        "RobertaProcessing": { field, _ in try classified(field) },
    ]

    /// `cls` before, `sep` after, each a pair of spelling and id.
    private static func classified(_ field: JSONReader) throws -> SurroundingPostProcessor {
        func id(_ key: String) throws -> Int {
            let pair = try field.member(key)
            let parts = try pair.elements()
            guard parts.count == 2 else { throw pair.wrongType(expected: "a token and its id") }
            return try parts[1].count()
        }
        return SurroundingPostProcessor(before: [try id("cls")], after: [try id("sep")])
    }

    /// The template for a single text: special tokens around one `Sequence`.
    private static func template(_ field: JSONReader) throws -> SurroundingPostProcessor {
        var result = SurroundingPostProcessor()
        var seenText = false
        let specials = try field.memberIfPresent("special_tokens")
        let single = try field.member("single")
        for element in try single.elements() {
            if try element.memberIfPresent("Sequence") != nil {
                guard !seenText else {
                    throw single.wrongType(expected: "a list with one Sequence", actual: "one with two")
                }
                seenText = true
                continue
            }
            let name = try element.member("SpecialToken").member("id")
            guard let special = try specials?.memberIfPresent(try name.string()) else {
                throw TokenizationError.missingToken(file: field.file, field: name.path, token: try name.string())
            }
            let ids = try special.member("ids").elements().map { try $0.count() }
            if seenText { result.after += ids } else { result.before += ids }
        }
        guard seenText else {
            throw single.wrongType(expected: "a list with a Sequence", actual: "one without")
        }
        return result
    }
}
