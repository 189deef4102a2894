import Foundation
import Generation
import Terminal

@testable import Playground
@testable import PlaygroundCore

/// A state brought about by events, as the app would bring them, without tasks and clocks.
struct Scene {
    var state: State
    var effects: [Effect] = []
    static let date = Date(timeIntervalSince1970: 1_700_000_000)

    init(_ width: Int, _ height: Int, depth: ColorDepth = .direct, unicode: Bool = true) {
        state = State(size: Size(width, height), theme: Theme(ScreenCapabilities(depth: depth, unicode: unicode)))
    }

    @discardableResult
    mutating func send(_ events: Event...) -> [Effect] {
        var new = events.flatMap { update(&state, $0, now: Self.date) }
        while let place = new.lastIndex(of: .catchUp) {
            new.remove(at: place)
            new += update(&state, .catchUp, now: Self.date)
        }
        effects += new
        return new
    }

    @discardableResult
    mutating func press(_ keys: Key...) -> [Effect] { keys.flatMap { send(.input(.key($0))) } }

    @discardableResult
    mutating func type(_ text: String) -> [Effect] { text.flatMap { press(.character($0)) } }

    /// Device known, model loaded, memory measured.
    mutating func loadModel() {
        send(
            .device("llvmpipe (LLVM 15.0.6, 256 bits)"), .started(model: nil, audio: nil),
            .models([
                ModelChoice(
                    name: "whisper-base", description: "speech, 99 languages, 74 M parameters", installed: true,
                    bytes: 145_000_000),
                ModelChoice(
                    name: "whisper-tiny.en", description: "speech, English, 39 M parameters", installed: false,
                    bytes: 78_000_000),
            ]),
            .load("whisper-base", LoadProgress(stage: "decoder weights", fraction: 0.6)), .loaded("whisper-base", .done)
        )
        measure(tokens: 0)
    }

    mutating func measure(tokens: Int) {
        send(
            .memory(
                .init(
                    byPurpose: [
                        .weightsEncoder: 41_313_280, .weightsDecoder: 103_972_864, .crossKV: 18_432_000,
                        .selfKV: 1_048_576 + tokens * 12_288,
                        .activations: 6_291_456, .capture: 4_608_000, .staging: 8_388_608, .pipelines: 1_310_720,
                    ], accounted: 185_365_504 + tokens * 12_288, driverUsage: 187_724_800, driverBudget: nil,
                    heapSize: 8_326_742_016, bytesPerToken: 12_288,
                    tokensLeft: 448 - tokens)))
    }

    /// Sends a recording and receives the first `count` tokens of the answer.
    mutating func answer(tokens count: Int = .max, windows: Int = 1, finished: Bool = true) {
        send(.input(.paste("/audio /tmp/jfk.wav")))
        press(Key(.enter))
        var index = 0
        for window in 0..<windows {
            send(
                .answer(
                    state.chat.answer, .inputPrepared(.audio(RecordedSpeech.window(window, language: "en"))), time: 0))
            send(.answer(state.chat.answer, .encoded(seconds: 0.4), time: 0.4))
            for token in RecordedSpeech.tokens(window: window, start: Double(window) * 30).prefix(count) {
                send(.answer(state.chat.answer, .token(token.renumbered(index)), time: 0.5 + Double(index) * 0.05))
                index += 1
            }
            guard finished else { continue }
            for segment in RecordedSpeech.segments(window: window, start: Double(window) * 30) {
                send(.answer(state.chat.answer, .segment(segment), time: 3))
            }
        }
        measure(tokens: index)
        guard finished else { return }
        send(
            .answer(
                state.chat.answer,
                .finished(
                    GenerationSummary(
                        reason: .endOfText, tokens: index, encodeSeconds: 0.4, prefillSeconds: 0.02,
                        decodeSeconds: Double(index) / 31.4)), time: 4),
            .answered(state.chat.answer, .done))
    }

    var canvas: Canvas { render(state) }
    var text: String { canvas.text }
}
