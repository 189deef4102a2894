import Foundation
import Generation
import Planning
import Terminal

/// Brings an event into the state.
/// - Returns: what the app has to do now.
package func update(_ state: inout State, _ event: Event, now: Date = Date()) -> [Effect] {
    var effects: [Effect]
    switch event {
    case .played(let event): return update(&state, event, now: now)
    case .started(let model, let audio): effects = state.begin(model: model, audio: audio, now)
    case .attach(let path): effects = state.attach(path)
    case .input(let input): effects = state.handle(input, now)
    case .device(let name): state.engine.device = name; effects = []
    case .models(let models): effects = state.learn(models, now)
    case .download(let name, let progress): effects = state.downloading(name, progress)
    case .downloaded(let name, let end): effects = state.downloaded(name, end, now)
    case .load(let name, let progress): effects = state.loading(name, progress)
    case .loaded(let name, let end): effects = state.loaded(name, end, now)
    case .answer(let number, let event, let time):
        effects = number == state.chat.answer ? state.receive(event, time, now) : []
    case .answered(let number, let end): effects = number == state.chat.answer ? state.finishAnswer(end, now) : []
    case .heard(let level, let seconds): effects = state.hear(level, seconds)
    case .listened(let sound, let end): effects = state.listened(sound, end, now)
    case .attentionNotice(let text):
        state.report(text, now, kind: .warning)
        effects = []
    case .memory(let report): effects = state.measure(report)
    case .completions(let prefix, let found): effects = state.offer(found, for: prefix)
    case .storageFailed(let reason, let loses): effects = state.warnOfStorage(reason, loses, now)
    case .conversations(let found): effects = state.learn(found)
    case .conversationOpened(let messages): effects = state.open(messages, now)
    case .abilities(let abilities): effects = state.learn(abilities)
    case .planned(let plan, let problem):
        state.memory.plan = plan
        state.memory.planProblem = problem
        effects = []
    case .looked(let path, let thumbnail, let problem): effects = state.looked(path, thumbnail, problem)
    case .saved(let path, let end): effects = state.saved(path, end, now)
    case .outlined(let path, let waveform): effects = state.outlined(path, waveform)
    case .tourDue: state.isTourDue = true; effects = []
    case .catchUp:
        state.attention.isCatchingUp = false
        effects = []
    }
    state.followAttention()
    if state.attention.rows.isBehind, !state.attention.isCatchingUp {
        // One such event at a time is under way.
        state.attention.isCatchingUp = true
        effects.append(.catchUp)
    }
    return effects
}

extension State {
    mutating func say(_ kind: Notice.Kind, _ text: String) { notice = Notice(kind, text) }

    /// Puts an error where it stays: in the conversation, beside the status line.
    mutating func report(_ text: String, _ now: Date, kind: Notice.Kind = .error) {
        chat.messages.append(Message(.program(kind), text, date: now))
        notice = Notice(kind, text)
    }

    mutating func measure(_ report: MemoryReport) -> [Effect] {
        memory.report = report
        memory.peak = max(memory.peak, report.accounted)
        memory.history.append(report.accounted)
        if memory.history.count > MemoryState.historyLength { memory.history.removeFirst() }
        return []
    }

    mutating func warnOfStorage(_ reason: String, _ loses: Bool, _ now: Date) -> [Effect] {
        if loses {
            report("This conversation is not kept: \(reason)", now, kind: .warning)
        } else {
            say(.warning, reason)
        }
        return []
    }

    mutating func saved(_ path: String, _ end: TaskEnd, _ now: Date) -> [Effect] {
        switch end {
        case .done: say(.information, "saved to \(path)")
        case .cancelled: break
        case .failed(let reason): report("cannot save to \(path): \(reason)", now)
        }
        return []
    }

    mutating func offer(_ found: [String], for prefix: String) -> [Effect] {
        guard input.beforeCursor.hasSuffix(prefix) else { return [] }
        Completion.apply(found, prefix: prefix, to: &input)
        return []
    }
}
