import Foundation
import ModelStore

// Listing, downloading and loading models.
extension State {
    mutating func didStart(model: String?, audio: String?, _ now: Date) -> [Effect] {
        engine.wanted = model
        var effects: [Effect] = [.listModels, .readMemory]
        if let audio { effects += send(audio: audio, now) }
        return effects
    }

    mutating func didListModels(_ models: [ModelChoice], _ now: Date) -> [Effect] {
        engine.models = models
        let isFirst = !engine.modelsKnown
        engine.modelsKnown = true
        guard isFirst, engine.model == nil, !engine.isBusy else { return [] }
        if let wanted = engine.wanted {
            engine.wanted = nil
            return choose(wanted, now)
        }
        if let installed = models.first(where: \.installed) { return choose(installed.name, now) }
        overlay = .models(selected: 0)
        return []
    }

    /// Loads a model, downloading it first if needed.
    mutating func choose(_ name: String, _ now: Date) -> [Effect] {
        switch engine.phase {
        case .encoding, .decoding, .stopping:
            engine.wanted = name
            return stopWork() ?? []
        case .loading, .downloading, .listening:
            say(.warning, "busy; stop first (Esc)")
            return []
        case .idle, .failed: break
        }
        // A name outside the list may be a folder or a file; the backend resolves it.
        if let model = engine.models.first(where: { $0.name == name }), !model.installed {
            engine.phase = .downloading(name, nil)
            return [.download(name)]
        }
        engine.phase = .loading(name, LoadProgress(stage: "opening", fraction: 0))
        return [.load(name)]
    }

    /// Attaches the model's sample picture unless something is attached, and offers its questions through ↑.
    private mutating func offerSample(of name: String) -> [Effect] {
        if let former = engine.sample?.picture { attachments.removeAll { $0.path == former } }
        engine.sample = engine.models.first { $0.name == name }?.sample
        input.suggest(engine.sample?.questions ?? [])
        guard chat.messages.isEmpty, attachments.isEmpty else { return [] }
        return attachSample()
    }

    /// Attaches the sample picture of the loaded model.
    mutating func attachSample() -> [Effect] { engine.sample?.picture.map { attach($0) } ?? [] }

    mutating func didAdvanceDownload(_ name: String, _ progress: PullProgress) -> [Effect] {
        if case .downloading(name, _) = engine.phase { engine.phase = .downloading(name, progress) }
        return []
    }

    mutating func didDownload(_ name: String, _ end: TaskEnd, _ now: Date) -> [Effect] {
        engine.phase = .idle
        switch end {
        case .done:
            if let index = engine.models.firstIndex(where: { $0.name == name }) {
                engine.models[index].installed = true
            }
            return [.listModels] + choose(name, now)
        case .cancelled:
            engine.asksAgain = false
            say(.information, "download stopped; it can be resumed")
            return []
        case .failed(let reason):
            engine.asksAgain = false
            engine.phase = .failed(reason)
            report("Downloading \(name) failed: \(reason)", now)
            return []
        }
    }

    mutating func didAdvanceLoad(_ name: String, _ progress: LoadProgress) -> [Effect] {
        if case .loading(name, _) = engine.phase { engine.phase = .loading(name, progress) }
        return [.readMemory]
    }

    mutating func didLoad(_ name: String, _ end: TaskEnd, _ now: Date) -> [Effect] {
        engine.phase = .idle
        switch end {
        case .done:
            engine.model = name
            // The inputs are requested now; until they arrive they are unknown.
            engine.abilities = nil
            say(.information, "\(engine.modelName ?? name) is ready")
            if engine.asksAgain {
                engine.asksAgain = false
                return [.readMemory, .readAbilities] + retry(now)
            }
            guard let request = engine.waiting else {
                return [.readMemory, .readAbilities] + offerSample(of: name) + offerTour()
            }
            engine.waiting = nil
            return [.readMemory, .readAbilities] + start(request, now)
        case .cancelled:
            engine.model = nil
            engine.waiting = nil
            engine.asksAgain = false
            say(.information, "loading stopped; /model chooses one")
            // The engine may have finished loading nevertheless.
            return [.unload]
        case .failed(let reason):
            engine.model = nil
            engine.asksAgain = false
            engine.phase = .failed(reason)
            report("Loading \(name) failed: \(reason)", now)
        }
        return [.readMemory]
    }
}
