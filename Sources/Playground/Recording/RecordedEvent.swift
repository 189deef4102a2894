import AttentionAnalysis
import Checkpoint
import Compute
import AttentionTypes
import Generation
import Media
import Support
import Planning
import Terminal

/// An event as it stands in a file. Only what the screen shows is written: no samples of the microphone, nothing of other
/// conversations.
enum RecordedEvent: Codable {
    case started(model: String?, audio: String?)
    case attach(String)
    case key(RecordedKey)
    case paste(String)
    case mouse(action: String, x: Int, y: Int)
    case device(String)
    case models([RecordedModel])
    case load(name: String, stage: String, fraction: Double)
    case loaded(name: String, end: RecordedEnd)
    case abilities(RecordedAbilities)
    case answer(number: Int, time: Double, RecordedGeneration)
    case answered(number: Int, end: RecordedEnd)
    case memory(RecordedMemory)
    case looked(path: String, width: Int, height: Int, pixels: RecordedPixels)
    case outlined(path: String, seconds: Double, levels: [Float])

    /// nil for what is not written.
    init?(_ event: Event) {
        switch event {
        case .started(let model, let audio): self = .started(model: model, audio: audio)
        case .attach(let path): self = .attach(path)
        case .input(.key(let key)): self = .key(RecordedKey(key))
        case .input(.paste(let text)): self = .paste(text)
        case .input(.mouse(let action, let x, let y)): self = .mouse(action: "\(action)", x: x, y: y)
        case .device(let name): self = .device(name)
        case .models(let models): self = .models(models.map(RecordedModel.init))
        case .load(let name, let progress): self = .load(name: name, stage: progress.stage, fraction: progress.fraction)
        case .loaded(let name, let end): self = .loaded(name: name, end: RecordedEnd(end))
        case .abilities(let abilities?): self = .abilities(RecordedAbilities(abilities))
        case .answer(let number, let event, let time):
            guard let event = RecordedGeneration(event) else { return nil }
            self = .answer(number: number, time: time, event)
        case .answered(let number, let end): self = .answered(number: number, end: RecordedEnd(end))
        case .memory(let report): self = .memory(RecordedMemory(report))
        case .looked(let path, let thumbnail?, _):
            self = .looked(
                path: path, width: thumbnail.width, height: thumbnail.height, pixels: RecordedPixels(thumbnail.raster))
        case .outlined(let path, let waveform):
            self = .outlined(path: path, seconds: waveform.seconds, levels: waveform.levels)
        default: return nil
        }
    }

    /// - Throws: `RecordingError.invalid` for numbers that do not fit together.
    func event() throws -> Event {
        switch self {
        case .started(let model, let audio): .started(model: model, audio: audio)
        case .attach(let path): .attach(path)
        case .key(let key): .input(.key(try key.key()))
        case .paste(let text): .input(.paste(text))
        case .mouse(let action, let x, let y):
            .input(
                .mouse(
                    action == "scrollUp"
                        ? .scrollUp : action == "scrollDown" ? .scrollDown : action == "press" ? .press : .release,
                    x: x, y: y))
        case .device(let name): .device(name)
        case .models(let models): .models(models.map(\.choice))
        case .load(let name, let stage, let fraction): .load(name, LoadProgress(stage: stage, fraction: fraction))
        case .loaded(let name, let end): .loaded(name, end.end)
        case .abilities(let abilities): .abilities(try abilities.abilities())
        case .answer(let number, let time, let event): .answer(number, try event.event(), time: time)
        case .answered(let number, let end): .answered(number, end.end)
        case .memory(let report): .memory(try report.report())
        case .looked(let path, let width, let height, let pixels):
            .looked(path, Thumbnail(width: width, height: height, raster: try pixels.raster()), problem: nil)
        case .outlined(let path, let seconds, let levels):
            .outlined(
                path,
                Waveform(
                    seconds: seconds,
                    levels: Array(levels.prefix(Waveform.stretches)).map { $0.isFinite ? max(0, min(1, $0)) : 0 }))
        }
    }
}

struct RecordedKey: Codable {
    var code: String
    var modifiers: UInt8

    private static let names: [(String, Key.Code)] = [
        ("up", .up), ("down", .down), ("left", .left), ("right", .right), ("home", .home), ("end", .end),
        ("pageUp", .pageUp), ("pageDown", .pageDown),
        ("insert", .insert), ("delete", .delete), ("backspace", .backspace), ("enter", .enter), ("tab", .tab),
        ("escape", .escape),
    ]

    init(_ key: Key) {
        modifiers = key.modifiers.rawValue
        switch key.code {
        case .character(let character): code = "'\(character)"
        case .function(let number): code = "F\(number)"
        default: code = Self.names.first { $0.1 == key.code }?.0 ?? "escape"
        }
    }

    func key() throws -> Key {
        let modifiers = Key.Modifiers(rawValue: modifiers & 7)
        if code.hasPrefix("'"), code.count == 2, let character = code.last {
            return Key(.character(character), modifiers)
        }
        if code.hasPrefix("F"), let number = Int(code.dropFirst()), (1...24).contains(number) {
            return Key(.function(number), modifiers)
        }
        guard let known = Self.names.first(where: { $0.0 == code }) else {
            throw RecordingError.invalid("a key “\(Sanitizer.cells.line(code))”")
        }
        return Key(known.1, modifiers)
    }
}

struct RecordedModel: Codable {
    var name: String
    var description: String
    var installed: Bool
    var bytes: Int
    var sample: ModelSample?

    init(_ model: ModelChoice) {
        (name, description, installed, bytes, sample) = (
            model.name, model.description, model.installed, model.bytes, model.sample
        )
    }

    var choice: ModelChoice {
        ModelChoice(name: name, description: description, installed: installed, bytes: bytes, sample: sample)
    }
}

enum RecordedEnd: Codable {
    case done, cancelled
    case failed(String)

    init(_ end: TaskEnd) {
        switch end {
        case .done: self = .done
        case .cancelled: self = .cancelled
        case .failed(let reason): self = .failed(reason)
        }
    }

    var end: TaskEnd {
        switch self {
        case .done: .done
        case .cancelled: .cancelled
        case .failed(let reason): .failed(reason)
        }
    }
}

struct RecordedAbilities: Codable {
    var family: String
    var inputs: [ModelAbilities.Input]
    var holdsConversations: Bool
    var shownAttention: AttentionKind
    var layers: [Int]
    var heads: Int
    var context: Int
    var alignmentHeads: [LayerHead]?

    init(_ abilities: ModelAbilities) {
        family = abilities.family
        inputs = abilities.inputs.sorted { $0.rawValue < $1.rawValue }
        holdsConversations = abilities.holdsConversations
        shownAttention = abilities.shownAttention
        layers = abilities.attentionLayers
        heads = abilities.attentionHeads
        context = abilities.contextLength
        alignmentHeads = abilities.alignmentHeads
    }

    func abilities() throws -> ModelAbilities {
        guard layers.count <= 4096, (0...4096).contains(heads), (alignmentHeads ?? []).count <= 4096 else {
            throw RecordingError.invalid("a model of \(layers.count) layers and \(heads) heads")
        }
        return ModelAbilities(
            family: family, inputs: Set(inputs), holdsConversations: holdsConversations, shownAttention: shownAttention,
            attentionLayers: layers, attentionHeads: heads,
            contextLength: context, alignmentHeads: alignmentHeads ?? [])
    }
}

struct RecordedMemory: Codable {
    var byPurpose: [String: Int]
    var accounted: Int
    var usage: Int?
    var budget: Int?
    var heap: Int
    var perToken: Int?
    var left: Int?

    init(_ report: MemoryReport) {
        byPurpose = Dictionary(report.byPurpose.map { ($0.key.rawValue, $0.value) }, uniquingKeysWith: { $1 })
        (accounted, usage, budget, heap) = (report.accounted, report.driverUsage, report.driverBudget, report.heapSize)
        (perToken, left) = (report.bytesPerToken, report.tokensLeft)
    }

    func report() throws -> MemoryReport {
        let purposes = byPurpose.compactMap { name, bytes in MemoryPurpose(rawValue: name).map { ($0, bytes) } }
        // Sums of these are drawn: nothing may overflow.
        let sizes = byPurpose.values + [accounted, heap] + [usage, budget, perToken, left].compactMap { $0 }
        guard sizes.allSatisfy({ (0...(1 << 50)).contains($0) }) else {
            throw RecordingError.invalid("a size of memory")
        }
        return MemoryReport(
            byPurpose: Dictionary(purposes, uniquingKeysWith: { $1 }), accounted: accounted, driverUsage: usage,
            driverBudget: budget, heapSize: heap,
            bytesPerToken: perToken, tokensLeft: left)
    }
}
