import JSON

/// Conversions that only tokenizer files need.
extension JSONReader {
    /// A string as UTF-8 bytes.
    func bytes() throws(JSONError) -> [UInt8] { Array(try string().utf8) }
    func bytes(_ key: String) throws(JSONError) -> [UInt8] { try member(key).bytes() }
    func bytes(_ key: String, default fallback: String) throws(JSONError) -> [UInt8] {
        Array(try string(key, default: fallback).utf8)
    }

    /// A token id or a count: an integer from 0 to 2^31 - 1.
    func count() throws(JSONError) -> Int {
        try converted("an integer from 0 to \(Int32.max)") { value in
            value.intValue.flatMap { (0...Int(Int32.max)).contains($0) ? $0 : nil }
        }
    }
    func count(_ key: String) throws(JSONError) -> Int { try member(key).count() }
    func count(_ key: String, default fallback: Int) throws(JSONError) -> Int {
        try memberIfPresent(key)?.count() ?? fallback
    }

    /// A string of one Unicode scalar.
    func scalar() throws(JSONError) -> Unicode.Scalar {
        let scalars = try string().unicodeScalars
        guard scalars.count == 1, let scalar = scalars.first else { throw wrongType(expected: "one character") }
        return scalar
    }
    func scalar(_ key: String) throws(JSONError) -> Unicode.Scalar { try member(key).scalar() }
}
