import Foundation
import TestSupport
import Testing

/// A whole session with a real model and a real recording, as a person has it.
@Suite(
    .serialized, .enabled(if: Machine.has("tmux"), "tmux is not installed"),
    .enabled(
        if: Machine.speechModel != nil && Machine.recording != nil,
        "whisper-tiny.en is not installed (fovea pull whisper-tiny.en)"))
struct SessionTests {
    @Test func aRecordingIsHeardWatchedAndLeft() async throws {
        let session = try TerminalSession([Machine.speechModel ?? "", Machine.recording ?? ""], width: 110, height: 32)
        try await session.wait(for: "jfk.wav", seconds: 60)

        // The words come one after another, not all at once.
        var partial = false
        let heard = try await session.wait("the transcript", seconds: 240) { screen in
            let text = screen.lines.joined(separator: " ")
            if text.contains("fellow"), !text.contains("0:07.") { partial = true }
            return text.contains("ask what you can do") && text.contains("idle")
        }
        #expect(partial, "no screen showed a part of the transcript")
        #expect(heard.contains("Attention ─") && heard.contains("Memory ─") && heard.contains("tok/s"))
        #expect(
            heard.contains("8 aligned heads · mean of heads"),
            "the heads that the checkpoint names as aligned come first")
        #expect(heard.contains("MiB accounted"))
        #expect(heard.lines.contains { $0.contains("▀▀▀▀") }, "no spectrogram")

        // Another layer, another head, another token: each changes the map.
        let before = try await session.settle()
        try session.press("Escape")
        try await session.wait(for: "i to type")
        try session.press("Down")
        try await session.wait(for: "all layers · mean of heads")
        try session.press("Down")
        try await session.wait(for: "layer 0 · mean of heads")
        try session.press("]", "]")
        let oneHead = try await session.wait(for: "layer 0 · head 0")
        #expect(Self.map(oneHead) != Self.map(before))
        try session.press("]")
        let nextHead = try await session.wait(for: "layer 0 · head 1")
        #expect(Self.map(nextHead) != Self.map(oneHead))
        try session.press("Left", "Left", "Left")
        let earlier = try await session.wait("an earlier token") { Self.caption($0) != Self.caption(nextHead) }
        #expect(Self.map(earlier) != Self.map(nextHead))

        // Other sizes: every panel is there, in columns that hold from top to bottom.
        let steady = try await session.settle()
        for (width, height) in [(80, 24), (200, 60)] {
            try session.resize(width: width, height: height)
            try await session.wait("a screen of \(width) × \(height)") {
                Self.divider($0) != nil && Self.divider($0) != Self.divider(steady) && $0.lines.count == height
            }
            // On busy machines it may be seen half drawn.
            try Self.expectWhole(try await session.settle(), width: width)
        }
        try session.resize(width: 30, height: 8)
        try await session.wait("a word about the size") { !$0.contains("Attention ─") }
        try session.resize(width: 110, height: 32)
        try await session.wait("the first size") { Self.divider($0) == Self.divider(steady) }
        let settled = try await session.settle()
        try Self.expectWhole(settled, width: 110)
        let divider = try #require(Self.divider(steady))
        #expect(settled.columns(0..<divider) == steady.columns(0..<divider), "the chat is as it was")
        #expect(Self.map(settled) == Self.map(steady), "the map is as it was")

        try session.press("q")
        #expect(try await session.end() == 0)
        try session.expectSane()
    }

    @Test func theEndInTheMiddleOfAnAnswerLeavesTheTerminalSane() async throws {
        let session = try TerminalSession([Machine.speechModel ?? "", Machine.recording ?? ""])
        try await session.wait(for: "jfk.wav", seconds: 60)
        try session.signal(SIGTERM)
        #expect(try await session.end(seconds: 60) == 128 + SIGTERM)
        try session.expectSane()
    }

    // MARK: Reading the screen

    /// The column of the line between chat and panels.
    private static func divider(_ screen: TerminalSession.Screen) -> Int? {
        screen.lines.first.flatMap { line in
            line.firstIndex(of: "│").map { line.distance(from: line.startIndex, to: $0) }
        }
    }

    /// The attention panel: right of the divider, above the memory panel.
    private static func map(_ screen: TerminalSession.Screen) -> [String] {
        guard let divider = divider(screen), let end = screen.lines.firstIndex(where: { $0.contains("Memory ─") })
        else { return [] }
        return Array(screen.columns(divider + 1..<divider + 61)[..<end])
    }

    /// The line that names the token being looked at.
    private static func caption(_ screen: TerminalSession.Screen) -> String { map(screen).dropFirst().first ?? "" }

    private static func expectWhole(
        _ screen: TerminalSession.Screen, width: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(screen.lines.allSatisfy { $0.count <= width }, sourceLocation: sourceLocation)
        for title in ["Chat ─", "Attention ─", "Memory ─"] {
            #expect(screen.contains(title), "\(title)", sourceLocation: sourceLocation)
        }
        let column = try #require(divider(screen))
        // Down to the rule above the input line, the only one that begins at the left edge.
        let body = screen.lines.prefix { !$0.hasPrefix("─") }
        #expect(body.count > 15, sourceLocation: sourceLocation)
        for line in body { #expect(Array(line)[safe: column] == "│", "\(line)", sourceLocation: sourceLocation) }
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
