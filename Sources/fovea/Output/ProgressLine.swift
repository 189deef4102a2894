import Foundation
import Synchronization

/// Progress on standard error: a bar on one line of a terminal; on anything else a plain line at each new stage and
/// each quarter.
final class ProgressLine: Sendable {
    private struct State {
        var isDrawn = false
        var lastDraw: ContinuousClock.Instant?
        var stage = ""
        var quarter = -1
    }

    private let isLive = Console.hasLiveErrorStream
    private let state = Mutex(State())

    /// - Parameters:
    ///   - stage: what is being done.
    ///   - detail: how far, in units of its own.
    ///   - fraction: 0 to 1; `nil` while unknown.
    func show(_ stage: String, detail: String?, fraction: Double?) {
        state.withLock { state in
            isLive ? draw(&state, stage, detail, fraction) : line(&state, stage, detail, fraction)
        }
    }

    /// Takes the bar away and leaves `text` as a line, if there is any.
    func finish(_ text: String?) {
        state.withLock { state in
            if state.isDrawn { Console.sayRaw("\r\u{1b}[K") }
            state.isDrawn = false
            if let text { Console.say(text) }
        }
    }

    private func draw(_ state: inout State, _ stage: String, _ detail: String?, _ fraction: Double?) {
        // Ten times a second is as much as an eye follows; a new stage shows at once.
        let now = ContinuousClock.now
        if state.stage == stage, let last = state.lastDraw, now - last < .milliseconds(100), fraction != 1 { return }
        state.stage = stage
        state.lastDraw = now
        state.isDrawn = true
        Console.sayRaw("\r" + Self.bar(stage, detail, fraction, width: Console.errorStreamWidth) + "\u{1b}[K")
    }

    private func line(_ state: inout State, _ stage: String, _ detail: String?, _ fraction: Double?) {
        let quarter = fraction.map { Int($0 * 4) } ?? 0
        guard stage != state.stage || quarter > state.quarter else { return }
        state.stage = stage
        state.quarter = quarter
        Console.say([stage, detail].compactMap(\.self).joined(separator: ", "))
    }

    /// The line as it stands on the terminal, one column short of the width so that it never wraps.
    static func bar(_ stage: String, _ detail: String?, _ fraction: Double?, width: Int) -> String {
        let room = max(width - 1, 10)
        var text = stage + (detail.map { "  " + $0 } ?? "")
        guard let fraction else { return String(text.prefix(room)) }
        let percent = "\(Int(fraction * 100))%"
        let padded = String(repeating: " ", count: max(0, 5 - percent.count)) + percent
        let barWidth = min(30, room - text.count - padded.count - 1)
        if barWidth >= 8 {
            let filled = Int(fraction * Double(barWidth))
            text += " " + String(repeating: "█", count: filled) + String(repeating: "░", count: barWidth - filled)
        } else {
            text = String(text.prefix(room - padded.count))
        }
        return text + padded
    }
}
