import Foundation
import Planning

/// Applies an event to the state.
/// - Returns: the work for the app.
package func update(_ state: inout State, _ event: Event, now: Date = Date()) -> [Effect] {
    var effects: [Effect]
    switch event {
    case .played(let event): return update(&state, event, now: now)
    case .started(let model, let audio): effects = state.didStart(model: model, audio: audio, now)
    case .attach(let path): effects = state.attach(path)
    case .ask(let text): effects = state.send(text: text, now)
    case .input(let input): effects = state.handle(input, now)
    case .device(let name): state.engine.device = name; effects = []
    case .models(let models): effects = state.didListModels(models, now)
    case .download(let name, let progress): effects = state.didAdvanceDownload(name, progress)
    case .downloaded(let name, let end): effects = state.didDownload(name, end, now)
    case .load(let name, let progress): effects = state.didAdvanceLoad(name, progress)
    case .loaded(let name, let end): effects = state.didLoad(name, end, now)
    case .answer(let number, let event, let time):
        effects = number == state.chat.answer ? state.didReceive(event, time, now) : []
    case .answered(let number, let end): effects = number == state.chat.answer ? state.didAnswer(end, now) : []
    case .microphoneLevel(let level, let seconds): effects = state.didMeasureMicrophone(level, seconds)
    case .listened(let sound, let end): effects = state.didListen(sound, end, now)
    case .attentionNotice(let text):
        state.report(text, now, kind: .warning)
        effects = []
    case .memory(let report): effects = state.didReadMemory(report)
    case .completions(let prefix, let found): effects = state.didComplete(found, for: prefix)
    case .fileFound(let line, let file): effects = state.didFindFile(line, file, now)
    case .storageFailed(let reason, let loses): effects = state.didFailStorage(reason, loses, now)
    case .storageRestored: state.say(.information, "the conversation is saved again"); effects = []
    case .conversations(let found): effects = state.didListConversations(found)
    case .conversationOpened(let messages): effects = state.didOpenConversation(messages, now)
    case .abilities(let abilities): effects = state.didReadAbilities(abilities)
    case .forecast(let name, let forecast):
        state.engine.forecasts[name] = .some(forecast)
        effects = []
    case .planned(let plan, let problem):
        state.memory.plan = plan
        state.memory.planProblem = problem
        effects = []
    case .thumbnailLoaded(let path, let thumbnail, let problem):
        effects = state.didLoadThumbnail(path, thumbnail, problem)
    case .saved(let path, let end): effects = state.didSave(path, end, now)
    case .waveformLoaded(let path, let waveform): effects = state.didLoadWaveform(path, waveform)
    case .tourDue: state.isTourDue = true; effects = []
    case .catchUp:
        state.attention.isCatchingUp = false
        effects = []
    }
    state.followAttention()
    if state.attention.rows.isBehind, !state.attention.isCatchingUp {
        // At most one such event is queued.
        state.attention.isCatchingUp = true
        effects.append(.catchUp)
    }
    return effects
}

extension State {
    mutating func say(_ kind: Notice.Kind, _ text: String) { notice = Notice(kind, text) }

    /// Adds a notice to the conversation, where it stays, and to the status line.
    mutating func report(_ text: String, _ now: Date, kind: Notice.Kind = .error) {
        chat.messages.append(Message(.program(kind), text, date: now))
        notice = Notice(kind, text)
    }

    mutating func didReadMemory(_ report: MemoryReport) -> [Effect] {
        memory.report = report
        memory.peak = max(memory.peak, report.accounted)
        memory.history.append(report.accounted)
        if memory.history.count > MemoryState.historyLength { memory.history.removeFirst() }
        return []
    }

    mutating func didFailStorage(_ reason: String, _ loses: Bool, _ now: Date) -> [Effect] {
        if loses {
            report("This conversation is not saved: \(reason)", now, kind: .warning)
        } else {
            say(.warning, reason)
        }
        return []
    }

    mutating func didSave(_ path: String, _ end: TaskEnd, _ now: Date) -> [Effect] {
        switch end {
        case .done: say(.information, "saved to \(path)")
        case .cancelled: break
        case .failed(let reason): report("cannot save to \(path): \(reason)", now)
        }
        return []
    }

    mutating func didComplete(_ found: [String], for prefix: String) -> [Effect] {
        guard input.beforeCursor.hasSuffix(prefix) else { return [] }
        Completion.apply(found, prefix: prefix, to: &input)
        return []
    }
}
