import AttentionAnalysis
import Foundation
import Generation
import Support
import Terminal

/// What the playground starts with.
package struct PlaygroundOptions: Sendable {
    /// The model to load; nil takes the first that is installed, or asks.
    package var model: String?
    /// A recording to transcribe at once.
    package var audio: String?
    /// A picture to attach at once.
    package var picture: String?
    package var language: String?
    package var task: SpeechTask
    /// Draw with ASCII characters and eight colors.
    package var ascii: Bool
    package var colorMap: ColorMap?
    /// Whether pictures are drawn in pixels.
    package var graphics = GraphicsChoice.ask
    /// Where conversations are kept; nil keeps none.
    package var dataFolder: String?
    /// Bytes of captured attention kept in memory before it spills to a temporary file, and the folder for that file;
    /// nil is the system's.
    package var attentionMemory = AttentionRecord.defaultMemoryLimit
    package var spillFolder: String?
    /// Writes the session down.
    package var recorder: SessionRecorder?
    /// Plays this instead of asking the engine; keys still work.
    package var replay: RecordedSession?
    /// How many times faster than it was it is played.
    package var replaySpeed = 1.0

    /// Nothing particular was asked for: there is time for a tour. What is recorded begins alike everywhere.
    var isOpen: Bool { model == nil && audio == nil && picture == nil && recorder == nil }

    package init(
        model: String? = nil, audio: String? = nil, language: String? = nil, task: SpeechTask = .transcribe,
        ascii: Bool = false,
        colorMap: ColorMap? = nil, dataFolder: String? = BaseDirectories().data
    ) {
        self.model = model
        self.audio = audio
        self.language = language
        self.task = task
        self.ascii = ascii
        self.colorMap = colorMap
        self.dataFolder = dataFolder
    }
}

/// The loop: events in, state on, effects out, and a frame at most thirty times a second while something changes.
package enum PlaygroundApp {
    static let frameInterval: Duration = .milliseconds(33)
    /// How often memory is measured while the model works, and while nothing happens.
    static let busyMemoryInterval: Duration = .milliseconds(500)
    static let idleMemoryInterval: Duration = .seconds(3)

    /// Runs until the person leaves or a signal ends it; the terminal is as before when this returns or throws.
    /// - Parameter screen: where to draw; nil takes the terminal.
    /// - Throws: `TerminalError` when there is no terminal to draw on.
    @MainActor
    package static func run(backend: any PlaygroundBackend, options: PlaygroundOptions, screen: (any Screen)? = nil)
        async throws -> ExitStatus
    {
        let screen = screen ?? NcursesScreen(ascii: options.ascii, graphics: options.graphics)
        let queue = EventQueue()
        try screen.start { queue.put(.input($0)) }
        defer { screen.stop() }

        var state = State(size: screen.size, theme: Theme(screen.capabilities))
        state.speech = SpeechSettings(language: options.language, task: options.task)
        if let map = options.colorMap { state.attention.colorMap = map }
        state.chat.record = AttentionRecord(memoryLimit: options.attentionMemory, directory: options.spillFolder) {
            queue.put(.attentionNotice("\($0)"))
        }
        let runner = EffectRunner(backend: backend, queue: queue, storeFolder: options.dataFolder)
        let player = options.replay.map { SessionPlayer($0, speed: options.replaySpeed, queue) }
        defer { player?.stop() }
        if player == nil {
            Task { queue.put(.device(await backend.deviceName)) }
            if options.isOpen, let folder = options.dataFolder, !TourMemory.wasShown(in: folder) { queue.put(.tourDue) }
            queue.put(.started(model: options.model, audio: options.audio))
            if let picture = options.picture { queue.put(.attach(picture)) }
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
                    // What is played was done when it was recorded.
                    case .quit where event.isPlayed: break
                    case .quit(let code): status = code
                    case .suspend: screen.suspend()
                    case .redraw: screen.redraw()
                    case .catchUp: queue.put(.catchUp)
                    default: if player == nil { runner.run(effect) }
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
                // A memory report that says the same draws the same.
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

    /// Wakes the loop now and then, so that memory is measured; it draws nothing unless something changed.
    private static func startHeartbeat(_ queue: EventQueue) -> Task<Void, Never> {
        Task.detached {
            while !Task.isCancelled {
                try? await Task.sleep(for: busyMemoryInterval)
                queue.wakeForFrame()
            }
        }
    }
}
