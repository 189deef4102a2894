import Generation
import PlaygroundCore

extension Event {
    /// The event as a session file stores it, or `nil` for events that are not recorded. Files hold only what the screen
    /// shows: no sound of the microphone, nothing of other conversations.
    var recorded: Event? {
        switch self {
        case .started, .attach, .ask, .input(.key), .input(.paste), .input(.mouse), .device, .models, .load, .loaded,
            .abilities(.some), .answered, .memory, .waveformLoaded, .thumbnailLoaded(_, .some, _), .fileFound:
            self
        case .answer(let number, let event, let time): .answer(number, event.recorded, time: time)
        default: nil
        }
    }

    /// - Throws: `RecordingError.invalid` for numbers that the screen cannot show.
    func check() throws {
        func require(_ condition: Bool, _ what: @autoclosure () -> String) throws {
            if !condition { throw RecordingError.invalid(what()) }
        }
        let numbers = 0...1 << 31
        switch self {
        case .abilities(let abilities?):
            try require(
                abilities.attentionLayers.count <= 4096 && (0...4096).contains(abilities.attentionHeads)
                    && abilities.alignmentHeads.count <= 4096,
                "a model of \(abilities.attentionLayers.count) layers and \(abilities.attentionHeads) heads")
        case .memory(let report):
            // Sums of these are shown, and must not overflow.
            let sizes =
                report.byPurpose.values + [report.accounted, report.heapSize]
                + [report.driverUsage, report.driverBudget, report.bytesPerToken, report.tokensLeft].compactMap { $0 }
            try require(sizes.allSatisfy { (0...1 << 50).contains($0) }, "a size of memory")
        case .waveformLoaded(_, let waveform):
            try require(
                waveform.levels.count <= Waveform.stretches && waveform.levels.allSatisfy { (0...1).contains($0) },
                "the levels of a waveform")
        case .answer(_, .inputPrepared(.audio(let window)), _):
            try require(
                numbers.contains(window.index) && (0...1024).contains(window.mels)
                    && (0...1_000_000).contains(window.frames) && window.logMel.count == window.mels * window.frames
                    && (0...1e7).contains(window.start) && (0...1e7).contains(window.duration),
                "a window of \(window.mels) × \(window.frames) energies")
        case .answer(_, .inputPrepared(.picture(let picture)), _):
            try require(
                numbers.contains(picture.index) && (1...1 << 20).contains(picture.width)
                    && (1...1 << 20).contains(picture.height) && picture.keys.count <= 1 << 20,
                "a picture of \(picture.width) × \(picture.height) with \(picture.keys.count) keys")
            for key in picture.keys {
                let sides = key.rectangle.map { [$0.x, $0.y, $0.width, $0.height] } ?? []
                try require(numbers.contains(key.key) && sides.allSatisfy { abs($0) < 1e9 }, "a key of a picture")
            }
        case .answer(_, .token(let token), _):
            try require(numbers.contains(token.index) && numbers.contains(token.window), "token number \(token.index)")
        case .answer(_, .discarded(let keeping, _), _):
            try require(numbers.contains(keeping), "a number of tokens to keep")
        default: break
        }
    }
}

extension GenerationEvent {
    /// The event with its picture as small as the screen shows it, and without infinite numbers, which JSON lacks.
    fileprivate var recorded: GenerationEvent {
        switch self {
        case .inputPrepared(.picture(let input)):
            .inputPrepared(
                .picture(
                    PictureInput(
                        index: input.index, name: input.name, picture: PictureView(input).pixels, width: input.width,
                        height: input.height, kind: input.kind, keys: input.keys, isFamiliar: input.isFamiliar)))
        case .token(let token):
            .token(
                GeneratedToken(
                    index: token.index, window: token.window, id: token.id, text: token.text, piece: token.piece,
                    isSpecial: token.isSpecial, timestamp: token.timestamp,
                    logProbability: max(token.logProbability, -1e4),
                    alternatives: token.alternatives.map {
                        TokenAlternative(id: $0.id, piece: $0.piece, logProbability: max($0.logProbability, -1e4))
                    }, attention: token.attention,
                    thought: token.thought))
        default: self
        }
    }
}
