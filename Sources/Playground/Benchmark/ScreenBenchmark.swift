import Foundation
import PlaygroundCore
import Terminal

/// Latency and load of the playground, measured on a memory screen with a demo backend.
package struct ScreenFigures: Sendable, Codable {
    package var width: Int
    package var height: Int
    /// Milliseconds to draw one frame of the state while tokens arrive, median and 99th percentile.
    package var frameMedian: Double
    package var frameNinetyNinth: Double
    /// Milliseconds from a key to the frame with its effect, while fifty tokens a second arrive.
    package var keyMedian: Double
    package var keyNinetyNinth: Double
    /// Share of one core used while nothing happens.
    package var idleShare: Double
    /// Share of one core used while fifty tokens a second arrive.
    package var busyShare: Double
    package var framesPerSecond: Double
    /// Frames a second that are drawn while nothing happens.
    package var idleFramesPerSecond: Double

    package var text: String {
        """
        screen of \(width) × \(height), 50 tokens a second, attention of \(DemoBackend.layers) layers × \(DemoBackend.heads) heads × \(DemoBackend.side * DemoBackend.side) patches
        drawing a frame      \(Figures.fixed(frameMedian, 2)) ms median, \(Figures.fixed(frameNinetyNinth, 2)) ms 99th percentile
        key to screen        \(Figures.fixed(keyMedian, 1)) ms median, \(Figures.fixed(keyNinetyNinth, 1)) ms 99th percentile
        frames               \(Figures.fixed(framesPerSecond, 1)) a second busy, \(Figures.fixed(idleFramesPerSecond, 1)) idle
        processor            \(Figures.fixed(busyShare * 100, 1)) % of a core busy, \(Figures.fixed(idleShare * 100, 2)) % idle
        """
    }
}

package enum ScreenBenchmark {
    /// Runs the app for about `keys` / 10 seconds and a few more.
    @MainActor
    package static func run(size: Size = Size(120, 40), keys: Int = 200) async throws -> ScreenFigures {
        let screen = MemoryScreen(size)
        var options = PlaygroundOptions(dataFolder: nil)
        options.model = "demonstration"
        let backend = DemoBackend(pace: .milliseconds(20), tokens: keys * 12 + 400)
        let app = Task { @MainActor in try await PlaygroundApp.run(backend: backend, options: options, screen: screen) }
        let clock = ContinuousClock()
        try await wait(clock, screen) { $0.contains("demonstration · idle") || $0.contains("● demonstration") }
        try await Task.sleep(for: .milliseconds(300))
        let idleStart = cpuSeconds(), idleBegan = clock.now, idlePresented = screen.presented
        try await Task.sleep(for: .seconds(3))
        let idleSeconds = idleBegan.duration(to: clock.now) / .seconds(1)
        let idle = (cpuSeconds() - idleStart) / idleSeconds,
            idleFrames = Double(screen.presented - idlePresented) / idleSeconds

        for character in "go" { screen.send(.key(.character(character))) }
        screen.send(.key(Key(.enter)))
        try await wait(clock, screen) { $0.contains("decoding") }
        screen.send(.key(Key(.tab)))
        screen.send(.key(Key(.tab)))
        try await Task.sleep(for: .milliseconds(300))
        var latencies: [Double] = []
        let busyStart = cpuSeconds(), busyBegan = clock.now, presentedBefore = screen.presented
        for number in 0..<keys {
            // A slow machine measures fewer keys instead of running endlessly.
            if busyBegan.duration(to: clock.now) > .seconds(60) { break }
            // The key selects the next layer, and the panel's header names it.
            let layer = number % (DemoBackend.layers + 1)
            let expected = layer == DemoBackend.layers ? "all layers" : "layer \(layer) ·"
            let began = clock.now
            screen.send(.key(number % 2 == 0 ? Key(.down) : Key(.character("j"))))
            try await wait(clock, screen) { $0.contains(expected) }
            latencies.append(began.duration(to: clock.now) / .milliseconds(1))
            try await Task.sleep(for: .milliseconds(70))
        }
        let busySeconds = busyBegan.duration(to: clock.now) / .seconds(1)
        let busy = (cpuSeconds() - busyStart) / busySeconds,
            frames = Double(screen.presented - presentedBefore) / busySeconds
        screen.send(.terminate(signal: 15))
        _ = try await app.value
        let drawing = frameTimes(size)
        return ScreenFigures(
            width: size.width, height: size.height, frameMedian: percentile(drawing, 0.5),
            frameNinetyNinth: percentile(drawing, 0.99),
            keyMedian: percentile(latencies, 0.5), keyNinetyNinth: percentile(latencies, 0.99), idleShare: idle,
            busyShare: busy, framesPerSecond: frames,
            idleFramesPerSecond: idleFrames)
    }

    /// Milliseconds of drawing a state that grows by a token each time.
    private static func frameTimes(_ size: Size) -> [Double] {
        var state = State(size: size)
        let clock = ContinuousClock()
        _ = update(&state, .models([ModelChoice(name: "demonstration", description: "", installed: true, bytes: 0)]))
        _ = update(&state, .loaded("demonstration", .done))
        _ = update(&state, .input(.paste("go")))
        _ = update(&state, .input(.key(Key(.enter))))
        let number = state.chat.answer
        var times: [Double] = []
        for event in DemoBackend.events(tokens: 300) {
            let began = clock.now
            _ = update(&state, .answer(number, event, time: Double(times.count) * 0.02))
            _ = render(state)
            times.append(began.duration(to: clock.now) / .milliseconds(1))
        }
        return times
    }

    @MainActor
    private static func wait(_ clock: ContinuousClock, _ screen: MemoryScreen, _ holds: (String) -> Bool) async throws {
        let began = clock.now
        // Reading a screen's text takes as long as drawing it, so only new frames are read.
        var seen = -1
        while true {
            let presented = screen.presented
            if presented != seen, holds(screen.canvas.text) { return }
            seen = presented
            guard clock.now - began < .seconds(20) else { throw BenchmarkError.nothingShown }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private static func percentile(_ values: [Double], _ share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let sorted = values.sorted()
        return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.down)))]
    }

    /// Seconds of processor time this process has used.
    private static func cpuSeconds() -> Double {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
}

/// Errors of the screen benchmark.
package enum BenchmarkError: Error, Sendable, CustomStringConvertible {
    case nothingShown

    package var description: String {
        "the screen did not show the expected text within 20 s; the machine may be too busy to measure"
    }
}
