import AttentionAnalysis
import PlaygroundCore
import Terminal

/// The loop: takes events, updates the state, runs effects, and draws changes at most thirty times a second.
package enum PlaygroundApp {
    static let frameInterval: Duration = .milliseconds(33)
    /// Interval of memory measurements while the model works, and while idle.
    static let busyMemoryInterval: Duration = .milliseconds(500)
    static let idleMemoryInterval: Duration = .seconds(3)

    /// Runs until the user quits or a signal ends it; the terminal is restored when this returns or throws.
    /// - Parameter screen: the screen to draw on; nil is the terminal.
    /// - Throws: `TerminalError` if there is no usable terminal.
    @MainActor
    package static func run(backend: any PlaygroundBackend, options: PlaygroundOptions, screen: (any Screen)? = nil)
        async throws -> ExitStatus
    {
        let screen = screen ?? NcursesScreen(ascii: options.ascii, graphics: options.graphics)
        let queue = EventQueue()
        try screen.start { queue.put(.input($0)) }
        defer { screen.stop() }

        var state = State(size: screen.size, theme: Theme(screen.capabilities, name: options.theme))
        state.speech = options.speech
        state.text = options.text
        state.systemPrompt = options.system
        if let map = options.colorMap { state.attention.colorMap = map }
        state.chat.record = AttentionRecord(memoryLimit: options.attentionMemory, directory: options.spillFolder) {
            queue.put(.attentionNotice("\($0)"))
        }
        let runner = EffectRunner(backend: backend, queue: queue, storeFolder: options.dataFolder)
        let player = options.replay.map { SessionPlayer($0, speed: options.replaySpeed, queue) }
        defer { player?.stop() }
        if player == nil {
            Task { queue.put(.device(await backend.deviceName)) }
            if options.isOpen, let folder = options.dataFolder, !TourMark.wasShown(in: folder) { queue.put(.tourDue) }
            queue.put(.started(model: options.model, audio: options.audio))
            for picture in options.pictures { queue.put(.attach(picture)) }
            if let prompt = options.prompt { queue.put(.ask(prompt)) }
        }

        let clock = ContinuousClock()
        var drawn = clock.now - frameInterval
        var isFrameScheduled = false
        var isChanged = true
        var shown: Canvas?
        var measured = clock.now
        let heartbeat = startHeartbeat(queue)
        defer { heartbeat.cancel() }

        while true {
            let events = await queue.take()
            var status: ExitStatus?
            for event in events {
                options.recorder?.add(event)
                for effect in update(&state, event) {
                    switch effect {
                    // A played event's effects happened when it was recorded.
                    case .quit where event.isPlayed: break
                    case .quit(let code): status = code
                    case .suspend: screen.suspend()
                    case .redraw: screen.redraw()
                    case .catchUp: queue.put(.catchUp)
                    default: if player == nil { runner.run(effect, state) }
                    }
                }
                if status != nil { break }
            }
            isChanged = isChanged || !events.isEmpty
            if let status {
                await runner.finish()
                return status
            }
            let now = clock.now
            if player == nil, now - measured >= (state.engine.isBusy ? busyMemoryInterval : idleMemoryInterval) {
                measured = now
                runner.readMemory()
            }
            guard isChanged else { continue }
            if now - drawn >= frameInterval {
                let canvas = render(state)
                // An equal memory report draws an equal canvas.
                if canvas != shown || canvas.size != screen.size { screen.present(canvas) }
                shown = canvas
                drawn = now
                isFrameScheduled = false
                isChanged = false
            } else if !isFrameScheduled {
                isFrameScheduled = true
                let due = drawn + frameInterval
                Task.detached {
                    try? await clock.sleep(until: due)
                    queue.wakeForFrame()
                }
            }
        }
    }

    /// Wakes the loop regularly to measure memory; unchanged screens are not drawn.
    private static func startHeartbeat(_ queue: EventQueue) -> Task<Void, Never> {
        Task.detached {
            while !Task.isCancelled {
                try? await Task.sleep(for: busyMemoryInterval)
                queue.wakeForFrame()
            }
        }
    }
}
