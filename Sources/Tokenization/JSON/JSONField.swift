/// A value together with where it stands, so that every complaint names file and field.
struct JSONField {
    let value: JSONValue
    let file: String
    /// Path from the document's root, as in `pre_tokenizer.pretokenizers[0].pattern`.
    let path: String

    var name: String { path.isEmpty ? "the document" : path }

    var isNull: Bool { if case .null = value { true } else { false } }

    func wrong(expected: String) -> TokenizationError {
        .field(file: file, field: name, expected: expected, actual: value.kind)
    }

    /// The member of that name; nil when it is absent or null. Among repeated keys the last one counts.
    func optional(_ key: String) throws -> JSONField? {
        guard case .object(let members) = value else { throw wrong(expected: "an object") }
        let bytes = Array(key.utf8)
        guard let member = members.last(where: { $0.key == bytes }) else { return nil }
        if case .null = member.value { return nil }
        return JSONField(value: member.value, file: file, path: path.isEmpty ? key : "\(path).\(key)")
    }

    func required(_ key: String, expected: String = "present") throws -> JSONField {
        guard let field = try optional(key) else {
            throw TokenizationError.field(
                file: file, field: path.isEmpty ? key : "\(path).\(key)", expected: expected, actual: "nothing")
        }
        return field
    }

    func elements() throws -> [JSONField] {
        guard case .array(let values) = value else { throw wrong(expected: "an array") }
        return values.enumerated().map { JSONField(value: $1, file: file, path: "\(path)[\($0)]") }
    }

    func members() throws -> [JSONValue.Member] {
        guard case .object(let members) = value else { throw wrong(expected: "an object") }
        return members
    }

    func bytes() throws -> [UInt8] {
        guard case .string(let bytes) = value else { throw wrong(expected: "a string") }
        return bytes
    }

    func string() throws -> String { String(decoding: try bytes(), as: UTF8.self) }

    func bool() throws -> Bool {
        guard case .bool(let bool) = value else { throw wrong(expected: "true or false") }
        return bool
    }

    func double() throws -> Double {
        guard case .number(let number) = value else { throw wrong(expected: "a number") }
        return number
    }

    /// A whole number from zero to 2^31 - 1, the range of token ids and counts.
    func count() throws -> Int {
        guard case .number(let number) = value, let whole = Int(exactly: number), (0...Int(Int32.max)).contains(whole)
        else {
            throw wrong(expected: "a whole number from 0 to \(Int32.max)")
        }
        return whole
    }

    /// Exactly one Unicode scalar.
    func scalar() throws -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard scalars.count == 1, let scalar = scalars.first else { throw wrong(expected: "one character") }
        return scalar
    }

    func bool(_ key: String, default fallback: Bool) throws -> Bool { try optional(key)?.bool() ?? fallback }
    func count(_ key: String, default fallback: Int) throws -> Int { try optional(key)?.count() ?? fallback }
    func bytes(_ key: String) throws -> [UInt8] { try required(key, expected: "a string").bytes() }
    func string(_ key: String) throws -> String { try required(key, expected: "a string").string() }
}
