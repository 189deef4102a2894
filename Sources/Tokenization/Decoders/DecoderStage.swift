/// A part of the text in the decoder. After `Fuse`, the text of a token may consist of several fragments.
struct PieceFragment {
    var bytes: [UInt8]
    var begins = true
    var ends = true
}

/// One stage of decoding (tokenizer.json `decoder`), which receives token after token.
///
/// Decoding of whole texts runs the same stages, so streaming and whole decoding cannot differ.
protocol DecoderStage: Sendable {
    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void)
    mutating func finish(emit: (PieceFragment) -> Void)
}

extension DecoderStage {
    mutating func finish(emit: (PieceFragment) -> Void) {}
}

/// Stages in sequence, with bytes of text as output.
struct DecoderPipeline: Sendable {
    private var stages: [any DecoderStage]

    init(_ stages: [any DecoderStage]) { self.stages = stages }

    mutating func accept(_ piece: [UInt8]) -> [UInt8] {
        run([PieceFragment(bytes: piece)], from: 0)
    }

    mutating func finish() -> [UInt8] {
        var output: [UInt8] = []
        for index in stages.indices {
            var fragments: [PieceFragment] = []
            stages[index].finish { fragments.append($0) }
            output += run(fragments, from: index + 1)
        }
        return output
    }

    private mutating func run(_ fragments: [PieceFragment], from first: Int) -> [UInt8] {
        var fragments = fragments
        for index in first..<max(first, stages.count) where !fragments.isEmpty {
            var next: [PieceFragment] = []
            for fragment in fragments { stages[index].accept(fragment) { next.append($0) } }
            fragments = next
        }
        return fragments.flatMap(\.bytes)
    }
}

/// Passes whole pieces to `rewrite`, with their number from zero.
struct PieceStage: DecoderStage {
    let rewrite: @Sendable (_ piece: [UInt8], _ index: Int) -> [UInt8]
    private var pending: [UInt8] = []
    private var index = 0

    init(_ rewrite: @escaping @Sendable (_ piece: [UInt8], _ index: Int) -> [UInt8]) { self.rewrite = rewrite }

    mutating func accept(_ fragment: PieceFragment, emit: (PieceFragment) -> Void) {
        pending += fragment.bytes
        guard fragment.ends else { return }
        emit(PieceFragment(bytes: rewrite(pending, index)))
        pending = []
        index += 1
    }
}
