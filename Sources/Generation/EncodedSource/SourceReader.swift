/// The encoder's side of an ``EncodedSourceSession``: one conformer for each kind of source.
protocol SourceReader: AnyObject {
    /// Encodes the request's source, unless the encoder has just read it, and emits `inputPrepared` and `encoded`.
    /// - Throws: ``GenerationError/unsuitableInput(family:problem:takes:)`` for a request without such a source.
    func read(_ request: GenerationRequest, emit: (GenerationEvent) throws -> Void) throws -> ReadSource
}

/// A source that the encoder has read.
struct ReadSource {
    /// The decoder's first tokens.
    let start: [Int]
    /// Seconds that encoding took.
    let seconds: Double
    /// True where `start` says what the checkpoint would otherwise force as the first token.
    var replacesForcedStart = false
}
