import Foundation
import Generation
import Media
import Planning
import PlaygroundCore
import Support

/// Runs effects: calls the backend, the disk and the store in tasks, and puts their results into the queue.
@MainActor
final class EffectRunner {
    private let backend: any PlaygroundBackend
    private let queue: EventQueue
    private let clock = ContinuousClock()
    private let started: ContinuousClock.Instant
    private var answer: Task<Void, Never>?
    private var transfer: Task<Void, Never>?
    private var listening: Task<Void, Never>?
    private var memory: Task<Void, Never>?
    private let store: StoreTask
    private let storeFolder: String?

    /// - Parameter storeFolder: folder of saved conversations; nil saves none.
    init(backend: any PlaygroundBackend, queue: EventQueue, storeFolder: String?) {
        self.backend = backend
        self.queue = queue
        started = clock.now
        self.storeFolder = storeFolder
        store = StoreTask(folder: storeFolder, queue: queue)
    }

    /// - Parameter state: the state that `update` left.
    func run(_ effect: Effect, _ state: State) {
        switch effect {
        case .listModels: spawn { [backend] in .models(await backend.models()) }
        case .readMemory: readMemory()
        case .load(let name): transfer = follow(backend.load(name), { .load(name, $0) }, { .loaded(name, $0) })
        case .download(let name):
            transfer = follow(backend.pull(name), { .download(name, $0) }, { .downloaded(name, $0) })
        case .cancelTransfer: transfer?.cancel()
        case .unload:
            spawn { [backend] in
                await backend.unload()
                return .memory(await backend.memory())
            }
        case .listen(let seconds): listening = listen(to: backend.listen(), seconds: seconds)
        case .stopListening: listening?.cancel()
        case .answer(let number, var request):
            if case .file(let path)? = request.sound { request.sound = .file(path: path.expandingTilde) }
            for index in request.messages.indices {
                request.messages[index].pictures = request.messages[index].pictures.map(\.expandingTilde)
            }
            let clock = clock, started = started
            answer = follow(
                backend.answer(request), { .answer(number, $0, time: started.duration(to: clock.now) / .seconds(1)) },
                { .answered(number, $0) })
        case .cancelAnswer: answer?.cancel()
        case .complete(let prefix, let purpose):
            spawn { .completions(prefix: prefix, PathCompletion.paths(prefix, purpose)) }
        case .findFile(let line):
            spawn { .fileFound(line, MediaFiles.file(atStartOf: line)) }
        case .store(let request): store.put(request)
        case .markTourShown: if let storeFolder { TourMark.remember(in: storeFolder) }
        case .readAbilities: spawn { [backend] in .abilities(await backend.abilities()) }
        case .forecast(let names):
            Task.detached { [backend, queue] in
                for name in names {
                    let plan = try? await backend.plan(PlanRequest(model: name))
                    queue.put(.forecast(name, plan.map { MemoryForecast(total: $0.total, fits: $0.fits) }))
                }
            }
        case .plan(let question):
            spawn { [backend] in
                do { return .planned(try await backend.plan(question), problem: nil) } catch {
                    return .planned(nil, problem: "\(error)")
                }
            }
        case .loadThumbnail(let path):
            spawn {
                do { return .thumbnailLoaded(path, try MediaFiles.thumbnail(path: path), problem: nil) } catch {
                    return .thumbnailLoaded(path, nil, problem: "\(error)")
                }
            }
        case .loadWaveform(let path):
            // The transcription reports problems of the file.
            Task.detached { [queue] in
                if let waveform = try? MediaFiles.waveform(path: path) { queue.put(.waveformLoaded(path, waveform)) }
            }
        case .export(let format, let path):
            spawn {
                do {
                    try OutputPath(path.expandingTilde).write(Data(format.text(of: state).utf8))
                    return .saved(path: path, .done)
                } catch {
                    return .saved(path: path, .failed(error.localizedDescription))
                }
            }
        case .quit, .suspend, .redraw, .catchUp: break  // The loop's own.
        }
    }

    /// Reads the memory; a request during a reading is ignored.
    func readMemory() {
        guard memory == nil else { return }
        memory = Task { [backend, queue] in
            queue.put(.memory(await backend.memory()))
            memory = nil
        }
    }

    /// Stops all work, waits for the last message to be written, and frees the model. Waits for the device at most
    /// `patience`.
    func finish(patience: Duration = .milliseconds(900)) async {
        answer?.cancel()
        transfer?.cancel()
        listening?.cancel()
        let (ended, end) = AsyncStream<Void>.makeStream()
        let unloading = Task.detached { [backend, store] in
            await store.finish()
            await backend.unload()
            end.finish()
        }
        let deadline = Task.detached {
            try? await Task.sleep(for: patience)
            end.finish()
        }
        for await _ in ended {}
        deadline.cancel()
        unloading.cancel()
    }

    private func spawn(_ work: @escaping @Sendable () async -> Event) {
        Task.detached { [queue] in queue.put(await work()) }
    }

    /// Collects sound until it is long enough, the source ends, or it is stopped; no sound is lost.
    private func listen(to chunks: AsyncThrowingStream<Recording, any Error>, seconds: Double) -> Task<Void, Never> {
        Task.detached { [queue] in
            var samples: [Float] = []
            var sampleRate = 0
            var end = TaskEnd.done
            do {
                for try await chunk in chunks {
                    sampleRate = chunk.sampleRate
                    samples += chunk.samples
                    let duration = Double(samples.count) / Double(max(1, sampleRate))
                    queue.put(.microphoneLevel(level: chunk.level, seconds: duration))
                    if duration >= seconds { break }
                }
                if Task.isCancelled { end = .cancelled }
            } catch {
                end = Task.isCancelled || error is CancellationError ? .cancelled : .failed("\(error)")
            }
            queue.put(.listened(Recording(samples: samples, sampleRate: sampleRate), end))
        }
    }

    private func follow<Element: Sendable>(
        _ stream: AsyncThrowingStream<Element, any Error>, _ event: @escaping @Sendable (Element) -> Event,
        _ ending: @escaping @Sendable (TaskEnd) -> Event
    ) -> Task<Void, Never> {
        Task.detached { [queue] in
            do {
                for try await element in stream { queue.put(event(element)) }
                queue.put(ending(Task.isCancelled ? .cancelled : .done))
            } catch is CancellationError {
                queue.put(ending(.cancelled))
            } catch {
                queue.put(ending(Task.isCancelled ? .cancelled : .failed("\(error)")))
            }
        }
    }
}
